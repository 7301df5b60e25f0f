"""Multipliers reach the right tokens: prompts in pieces, shared prefixes, forced tokens."""

from dataclasses import replace

import pytest

from steer.types import Decay, DecayShape, Marker, Phase, Range, Site, Where
from tests.engine import treatments
from tests.engine.cases import CROWD, Case, check_batch, of
from tests.engine.plans import arm, baseline, plan, prompt
from tests.engine.treatments import MARKERS, Treatment
from tests.helpers import BOS, engine, finished, run

WHERES = [
    *(Where(markers=(marker,)) for marker in MARKERS),
    Where(markers=MARKERS),
    Where(Phase.DECODE, markers=(Marker("t1"),)),
    Where(Phase.GENERATED, markers=(Marker("t1", until="t2"),)),
    Where(Phase.PROMPT, markers=(Marker(" t8", tokens=2),), every=2),
    Where(markers=(Marker("<bos>", tokens=2),), include_special_tokens=True),
    Where(every=3),
    Where(Phase.DECODE, every=2),
    Where(decay=Decay(DecayShape.LINEAR, 9)),
    Where(Phase.DECODE, decay=Decay(DecayShape.EXPONENTIAL, 2)),
    Where(every=2, decay=Decay(DecayShape.LINEAR, 50)),
    Where(ranges=(Range(3, 5), Range(-4, -2), Range(-1, 70))),
    Where(Phase.DECODE, ranges=(Range(None, 80),)),
    Where(ranges=(Range(-1, None),)),
    Where(token_ids=tuple(range(3, 50))),
    Where(Phase.DECODE, token_ids=tuple(range(3, 97, 2)), decay=Decay(DecayShape.LINEAR, 6)),
    Where(exclude_token_ids=tuple(range(4, 97, 2))),
    Where(include_special_tokens=True),
]


def some(number: int) -> Treatment:
    """An op whose strength shows in what it does."""
    makers = (treatments.add, treatments.project, treatments.rotate, treatments.low_rank)
    return makers[number % 4](Site(number % 3), number)


@pytest.mark.parametrize("length", [1, 7, 90])
@pytest.mark.parametrize("forced", [(), (15, 4, 17, 25, 8, 91)])
def test_every_where_scales_the_strength_at_its_tokens(length, forced):
    """Pieces of 16 tokens: a marker opens in one and acts in the next."""
    ids = (BOS, *prompt(length, length), BOS, *prompt(3, 4))
    cases = [
        Case(ids, [replace(some(number), where=where)], forced)
        for number, where in enumerate(WHERES)
    ]
    with engine(limits=replace(CROWD, step_tokens=16)) as running:
        check_batch(running, "llama", cases, max_tokens=14, alone=4)


def test_rows_of_a_shared_prompt_see_the_text_of_the_prompt():
    """The prompt opens a marker; arms that share its prefill, and samples of each, act on it."""
    ids = (*prompt(4, 30), 15, *prompt(5, 20))
    opened = Where(Phase.DECODE, markers=(Marker("t15"),))
    closed = Where(Phase.DECODE, markers=(Marker("t15", until="t"),))
    items = {
        "opened": replace(treatments.add(Site(1), 1), where=opened).planned(ids),
        "again": replace(treatments.add(Site(1), 2), where=opened).planned(ids),
        "closed": replace(treatments.add(Site(1), 1), where=closed).planned(ids),
    }
    arms = [arm(name, ids, item) for name, item in items.items()]
    one = plan(baseline(ids), *arms, samples=2, temperature=1.0, max_tokens=7)
    with engine(limits=replace(CROWD, step_tokens=16)) as running:
        events = run(running, [one])[one.request_id]
    touched = {
        (name, sample): finished(events, name, sample).receipts[0].tokens
        for name in items
        for sample in (0, 1)
    }
    assert touched == {
        (name, sample): 0 if name == "closed" else 7 for name in items for sample in (0, 1)
    }
    assert all(finished(events, name).usage.cached_tokens == len(ids) - 1 for name in items)
    assert of(events, "closed")[0].logprobs == of(events, "baseline")[0].logprobs


def test_the_same_intervention_twice_is_credited_twice():
    """Also at a prompt that several rows share: the second finds what the first has changed."""
    ids, one = prompt(6, 12), treatments.add(Site(1), 1)
    gated = replace(one, gate=treatments.cosine(Site(1), 3))
    cases = [Case(ids, [one, one]), Case(ids, [one, one]), Case(ids, [gated, some(1), gated])]
    with engine() as running:
        check_batch(running, "llama", cases, max_tokens=5)
