"""Whether each item can be steered: what the direction does to what the model says next.

Steerability of an item is the slope of its logit difference over the strength (Tan et al., arXiv
2407.12404); where it is below 0 the item is anti-steerable.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from steer.intervene.plan import Plan
from steer.runs.extract.examples import Example, Examples
from steer.runs.extract.making import Made
from steer.runs.kind import Context
from steer.specs import ExtractSpec
from steer.types import (
    Add,
    Arm,
    Direction,
    Inline,
    Intervention,
    Prompt,
    Sampling,
    ScoreTrial,
    Strength,
    Trial,
    Where,
)

PAIRS = 16
"""How many are tried."""
STRENGTHS = {"minus": -1.0, "plus": 1.0}

Asked = tuple[tuple[int, ...], int, int]
"""What the model has read, the next token of the positive side, and that of the negative."""


def steers(
    spec: ExtractSpec, examples: Examples, made: Sequence[Made], context: Context
) -> dict[str, Any] | None:
    """Of the first pairs, at the site where the direction separates best: ``steerability`` (mean
    slope, nats per unit of strength, over strengths -1 and 1), ``anti_steerable`` (share), and
    ``slopes``. None where there are no pairs, or none whose sides say different things."""
    if not spec.pairs or spec.as_probe:
        return None
    asked = list(_asked(examples, context))
    if not asked:
        return None
    best = max(made, key=lambda one: one.quality.separation or 0.0)
    slopes = _slopes(asked, _arms(spec, best), context)
    return {
        "site": str(best.site),
        "n": len(slopes),
        "steerability": round(sum(slopes) / len(slopes), 4),
        "anti_steerable": round(sum(slope < 0 for slope in slopes) / len(slopes), 4),
        "slopes": [round(slope, 4) for slope in slopes],
    }


def _asked(examples: Examples, context: Context) -> Iterator[Asked]:
    """What to ask of each pair whose sides differ: where their answers part, or else what each
    prompt is followed by."""
    pairs = list(zip(examples.positive, examples.negative, strict=True))[:PAIRS]
    follows = _follows([one for pair in pairs for one in pair if not _parting(*pair)], context)
    for up, down in pairs:
        parted = _parting(up, down)
        if parted:
            yield parted
            continue
        tokens = [follows.get((one.positive, one.index)) for one in (up, down)]
        if tokens[0] is not None and tokens[1] is not None and tokens[0] != tokens[1]:
            yield down.ids[: down.prompt_length], tokens[0], tokens[1]


def _parting(up: Example, down: Example) -> Asked | None:
    """Where two answers to the same prompt part."""
    if up.ids[: up.prompt_length] != down.ids[: down.prompt_length]:
        return None
    both = zip(up.ids, down.ids, strict=False)
    for place, (mine, other) in enumerate(both):
        if mine != other:
            return up.ids[:place], mine, other
    return None


def _follows(texts: Sequence[Example], context: Context) -> dict[tuple[bool, int], int]:
    """The likeliest token after each prompt; without those after which the model ends."""

    def plan(one: Example) -> Plan:
        prompt = Prompt(token_ids=one.ids[: one.prompt_length])
        trial = Trial(prompt, sampling=Sampling(max_tokens=1), measure=False)
        return context.planner.trial(trial, "")

    plans = (((one.positive, one.index), plan(one)) for one in texts)
    return {
        key: answer.rows[0][0].token_ids[0]
        for key, answer in context.answers(plans)
        if answer.rows[0][0].token_ids
    }


def _arms(spec: ExtractSpec, made: Made) -> tuple[Arm, ...]:
    direction = Direction(made.direction.astype("<f4").tobytes(), made.site)
    return tuple(
        Arm(
            name,
            (
                Intervention(
                    Add(Inline((direction,))),
                    sites=(made.site,),
                    strength=Strength(value),
                    where=spec.where or Where(),
                ),
            ),
        )
        for name, value in STRENGTHS.items()
    )


def _slopes(asked: Sequence[Asked], arms: tuple[Arm, ...], context: Context) -> list[float]:
    def plan(read: tuple[int, ...], token: int) -> Plan:
        trial = ScoreTrial(Prompt(token_ids=read), Prompt(token_ids=(token,)), arms)
        scoring = context.planner.score(trial, "")
        # Only the steered ones are looked at, and they are not compared with the baseline.
        return replace(scoring, arms=scoring.arms[1:], measure=False)

    plans = (
        ((place, side), plan(read, tokens[side]))
        for place, (read, *tokens) in enumerate(asked)
        for side in (0, 1)
    )
    found: dict[tuple[int, int], dict[str, float]] = {}
    for key, answer in context.answers(plans):
        found[key] = {one.name: one.total for one in answer.scores}
    differences = [
        {name: found[place, 0][name] - found[place, 1][name] for name in STRENGTHS}
        for place in range(len(asked))
    ]
    return [(one["plus"] - one["minus"]) / 2 for one in differences]
