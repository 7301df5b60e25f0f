"""Keys and values of a prompt are shared exactly where nothing acts before its last position."""

from dataclasses import replace

import pytest

from steer.types import (
    Add,
    Arm,
    Gate,
    GateScope,
    Intervention,
    Marker,
    Phase,
    Point,
    Range,
    Site,
    Stored,
    Where,
)
from tests.engine.cases import CROWD, of
from tests.engine.plans import prompt
from tests.helpers import BOS, finished
from tests.planning import bench

IDS = (BOS, *prompt(2, 30), 15, 16, 40)
LAST = len(IDS) - 1
ONLY_LAST = tuple({*range(3, 97)} - {*IDS[:-1]})
ITEM = Intervention(Add(Stored("v")), (Site(1), Site(2, Point.MLP_OUT)))
ALWAYS = Gate(Site(1), -1.0, cosine=Stored("c"))
NEVER = replace(ALWAYS, below=True)

SHARES = {
    "decode": Where(Phase.DECODE),
    "first": Where(Phase.FIRST),
    "generated": Where(Phase.GENERATED),
    "the last position": Where(ranges=(Range(-1, None),)),
    "the last position of the prompt": Where(Phase.PROMPT, ranges=(Range(-1, None),)),
    "tokens that the prompt has only at its end": Where(token_ids=ONLY_LAST),
    "a special token that is spared": Where(token_ids=(BOS,)),
    "after a marker that ends the prompt but for a token": Where(markers=(Marker("t15 t16"),)),
    "a marker that the prompt has not": Where(markers=(Marker("t1 t1 t1"),)),
}
DOES_NOT = {
    "all": Where(),
    "prompt": Where(Phase.PROMPT),
    "the first token alone": Where(ranges=(Range(1, 2),)),
    "the last but one": Where(ranges=(Range(-2, -1),)),
    "a token of the prompt": Where(token_ids=(16,)),
    "a special token": Where(token_ids=(BOS,), include_special_tokens=True),
    "after a marker": Where(markers=(Marker("t15"),)),
    "every 40th": Where(every=40),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("store"), limits=CROWD) as made:
        yield made


def test_arms_share_the_baseline_s_prefill_only_if_they_leave_the_prompt_alone(running):
    wheres = SHARES | DOES_NOT
    arms = [Arm(name, (replace(ITEM, where=where),)) for name, where in wheres.items()]
    arms += [
        Arm("shut", (replace(ITEM, gate=NEVER),)),
        Arm("open", (replace(ITEM, where=Where(every=2), gate=ALWAYS),)),
        Arm("shut at every token", (replace(ITEM, gate=replace(NEVER, scope=GateScope.TOKEN)),)),
        Arm("both", (replace(ITEM, where=Where(Phase.DECODE)), replace(ITEM, gate=NEVER))),
    ]
    plan = running.plan(IDS, *arms)
    events = running.events(plan)
    shares = {*SHARES, "shut", "both"}
    for arm in plan.started(running.planner.model).arms[1:]:
        assert arm.shares_prefill is (arm.name in shares), arm.name
        cached = finished(events, arm.name).usage.cached_tokens
        assert cached == (LAST if arm.name in shares else 0), arm.name
    for arm in arms:  # with nobody to share with
        alone = running.run(IDS, arm, baseline=False)
        assert finished(alone, arm.name).usage.cached_tokens == 0
        for mine, other in zip(of(events, arm.name), of(alone, arm.name), strict=True):
            assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs), arm.name
            assert mine.alternatives == other.alternatives
        assert finished(events, arm.name).receipts == finished(alone, arm.name).receipts


def test_arms_that_act_on_the_prompt_in_the_same_way_share_that(running):
    early = replace(ITEM, where=Where(Phase.PROMPT))
    late = replace(ITEM, where=Where(Phase.GENERATED))
    arms = [
        Arm("early", (early,)),
        Arm("again", (early,)),
        Arm("late too", (late, early)),
        Arm("twice", (early, early)),
    ]
    plan = running.plan(IDS, *arms, samples=2)
    events = running.events(plan)
    cached = {
        (arm.name, sample): finished(events, arm.name, sample).usage.cached_tokens
        for arm in plan.arms
        for sample in (0, 1)
    }
    first = {("baseline", 0), ("early", 0), ("twice", 0)}
    assert cached == {row: 0 if row in first else LAST for row in cached}
    resolved = plan.started(running.planner.model).arms
    assert [arm.shares_prefill for arm in resolved] == [False] * len(plan.arms)
    done = [(r.tokens, r.mean_change) for r in finished(events, "early").receipts]
    assert {tokens for tokens, _ in done} == {LAST}
    for name, index in (("again", 0), ("late too", 1)):
        receipts = [r for r in finished(events, name).receipts if r.intervention == index]
        assert [(r.tokens, r.mean_change) for r in receipts] == done


def test_a_prompt_of_one_token_has_nothing_to_share(running):
    decode = replace(ITEM, where=Where(Phase.DECODE))
    plan = running.plan((5,), Arm("all", (ITEM,)), Arm("decode", (decode,)))
    events = running.events(plan)
    for arm in plan.arms:
        assert finished(events, arm.name).usage.cached_tokens == 0
    assert [c.logprobs for c in of(events, "all")] == [c.logprobs for c in of(events, "decode")]
