"""What can not do anything leaves every bit as it is, and says so."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from steer.engine.base import Done, Event, Failed
from steer.errors import FailedPrecondition
from steer.intervene import sites
from steer.intervene.plan import PlannedIntervention
from steer.types import GateDecision, GateScope, Marker, Phase, Range, Site, Where
from tests.engine import treatments
from tests.engine.cases import CROWD, of
from tests.engine.plans import arm, baseline, plan, prompt
from tests.engine.treatments import VARIANTS, Treatment
from tests.helpers import CONFIGS, engine, finished, network, run

IDS = prompt(1, 14)

NEVER = {
    "a marker that never comes": Where(markers=(Marker("</think>"),)),
    "a range beyond the end": Where(ranges=(Range(1000, None),)),
    "a range before the beginning": Where(ranges=(Range(None, -50),)),
    "a phase without the range": Where(Phase.GENERATED, ranges=(Range(0, 5),)),
    "no such token": Where(token_ids=(0,), exclude_token_ids=(0,)),
}


def shut(one: Treatment) -> dict[str, Treatment]:
    """Behind gates of every reading that never open."""
    dictionary = one.coder.dictionary if one.coder else None
    gates = {
        "cosine": treatments.cosine(one.site, 1, 1.5),
        "cosine below": treatments.cosine(one.site, 1, -1.5, below=True),
        "probe": treatments.probe(one.site, 1, 1.0),
        **({"latent": treatments.latent(dictionary, 3, 1e9)} if dictionary else {}),
    }
    return {name: replace(one, gate=gate) for name, gate in gates.items()}


def closed(one: Treatment) -> PlannedIntervention:
    """Behind a gate that was decided for the whole prompt, and is shut."""
    item = replace(one, gate=treatments.cosine(one.site, 1, 0.5)).planned(IDS)
    assert item.gate is not None
    decided = replace(item.gate, scope=GateScope.PROMPT, decision=GateDecision(0.25, False))
    return replace(item, gate=decided)


def assert_same_bits(events: Sequence[Event], name: str) -> None:
    """An arm has the baseline's tokens and its logits, to the last bit."""
    assert isinstance(events[-1], Done), events[-1]
    for mine, other in zip(of(events, name), of(events, "baseline"), strict=True):
        assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs)
        assert mine.alternatives == other.alternatives


def check(kind: str, items: dict[str, PlannedIntervention]) -> Sequence[Event]:
    """Every item as an arm leaves every bit."""
    arms = [arm(name, IDS, item) for name, item in items.items()]
    one = plan(baseline(IDS), *arms, measure=False, logprobs=5, max_tokens=5)
    with engine(kind, CROWD) as running:
        events = run(running, [one])[one.request_id]
    for name in items:
        assert_same_bits(events, name)
    return events


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_op_with_strength_zero_leaves_every_bit(kind):
    items = {}
    for point in sites.points(network(kind)):
        for number, (name, maker) in enumerate(VARIANTS.items()):
            one = replace(maker(Site(1, point), number), strength=0.0, keep_norm=number % 2 == 0)
            items[f"{name} {point}"] = one.planned(IDS)
    events = check(kind, items)
    for name in items:
        (receipt,) = finished(events, name).receipts
        assert receipt.mean_change == 0.0 and receipt.tokens > 0
        assert all(each.mean_before == each.mean_after for each in receipt.features)


@pytest.mark.parametrize("kind", ["llama", "granite", "mixtral"])
def test_every_op_that_never_acts_leaves_every_bit(kind):
    items = {}
    for number, (name, maker) in enumerate(VARIANTS.items()):
        for turn, point in enumerate(sites.points(network(kind))):
            one = replace(maker(Site(turn % 3, point), number), keep_norm=turn % 2 == 0)
            reason, where = list(NEVER.items())[(number + turn) % len(NEVER)]
            items[f"{name}: {reason}, {point}"] = replace(one, where=where).planned(IDS)
            for gate, gated in shut(one).items():
                items[f"{name}: {gate}, {point}"] = gated.planned(IDS)
            items[f"{name}: closed, {point}"] = closed(one)
    events = check(kind, items)
    for name in items:
        (receipt,) = finished(events, name).receipts
        assert (receipt.tokens, receipt.mean_change) == (0, 0.0)
        assert all((each.mean_before, each.mean_after) == (0, 0) for each in receipt.features)
        if receipt.gate is not None:
            assert receipt.gate.opened == 0 and receipt.gate.readings > 0


def test_what_must_fire_and_does_not_fails_the_trial():
    one = treatments.add(Site(1), 1)
    silent = [replace(one, where=where).planned(IDS) for where in NEVER.values()]
    silent += [gated.planned(IDS) for gated in shut(one).values()]
    silent += [closed(one)]
    fires = replace(one.planned(IDS), must_fire=True)
    with engine() as running:
        for item in silent:
            bad = plan(baseline(IDS), arm("s", IDS, fires, replace(item, must_fire=True)))
            good = plan(baseline(IDS), arm("s", IDS, fires, item))
            answers = run(running, [bad, good])
            last = answers[bad.request_id][-1]
            assert isinstance(last, Failed) and isinstance(last.error, FailedPrecondition)
            assert last.error.reason == "DID_NOT_FIRE" and "intervention 1" in last.error.message
            assert isinstance(answers[good.request_id][-1], Done)
