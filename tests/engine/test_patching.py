"""Patching: activations of other arms, of captures, one for all positions or each at its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from steer.errors import SteerError
from steer.intervene.captures import Captured, Captures
from steer.intervene.sites import visiting
from steer.server.holding import Holding
from steer.types import (
    Add,
    Arm,
    CapturedActivations,
    CaptureTrial,
    Gate,
    Intervention,
    Phase,
    Point,
    Prompt,
    Range,
    Replace,
    Site,
    Stored,
    Strength,
    Where,
)
from tests.engine.cases import CROWD, of
from tests.engine.plans import WIDTH, prompt
from tests.helpers import finished, network, tokens
from tests.planning import Bench, bench

CLEAN, CORRUPTED = prompt(1, 12), (*prompt(1, 5), *prompt(9, 7))
PRE = tuple(Site(layer, Point.RESID_PRE) for layer in range(3))
EVERYWHERE = Where(include_special_tokens=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("store"), limits=CROWD) as made:
        yield made


def clean(*interventions: Intervention) -> Arm:
    """The arm that is patched from."""
    return Arm("clean", interventions, prompt=Prompt(token_ids=CLEAN))


def patched(op: Replace, sites=PRE, **more: object) -> Arm:
    """An arm of the corrupted prompt that is patched."""
    where = more.pop("where", Where(Phase.PROMPT, include_special_tokens=True))
    return Arm("patched", (Intervention(op, tuple(sites), where=where, **more),))


def logprobs(events, name: str) -> list[float]:
    return [x for chunk in of(events, name) for x in chunk.logprobs]


def test_all_of_the_clean_run_gives_the_clean_logits(running):
    """Every layer's input at every position of the prompt: nothing of the other prompt is left.
    What was generated under it equals too, because keys and values are the clean ones."""
    events = running.run(CORRUPTED, clean(), patched(Replace(source_arm="clean")))
    assert tokens(events, "patched") == tokens(events, "clean") != tokens(events, "baseline")
    assert logprobs(events, "patched") == pytest.approx(logprobs(events, "clean"), abs=1e-5)
    for receipt in finished(events, "patched").receipts:
        assert receipt.tokens == len(CLEAN)


def test_a_patch_of_a_row_with_itself_changes_no_bit(running):
    for source in ("baseline", "same"):
        same = Arm("same", (), prompt=Prompt(token_ids=CORRUPTED))
        events = running.run(CORRUPTED, same, patched(Replace(source_arm=source)))
        assert of(events, "patched")[0].logprobs == of(events, "baseline")[0].logprobs
        assert logprobs(events, "patched") == pytest.approx(logprobs(events, "baseline"), abs=1e-5)
        assert all(r.mean_change < 1e-6 for r in finished(events, "patched").receipts)


def test_positions_the_source_has_not_are_left_alone(running):
    """A shorter source patches its own positions; one that meets none changes no bit."""
    short = Arm("clean", (), prompt=Prompt(token_ids=CLEAN[:4]))
    events = running.run(
        CORRUPTED,
        short,
        patched(Replace(source_arm="clean"), where=EVERYWHERE),
        Arm(
            "beyond",
            (
                Intervention(
                    Replace(source_arm="clean"), PRE, where=Where(ranges=(Range(4, None),))
                ),
            ),
        ),
    )
    assert {r.tokens for r in finished(events, "patched").receipts} == {4}
    assert {(r.tokens, r.mean_change) for r in finished(events, "beyond").receipts} == {(0, 0.0)}
    for mine, other in zip(of(events, "beyond"), of(events, "baseline"), strict=True):
        assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs)


@pytest.mark.parametrize("point", Point)
@pytest.mark.parametrize("kind", ["llama", "granite"])
def test_a_patch_sweep_equals_plain_hooks(tmp_path, kind, point):
    """Each layer and position of a steered source into the corrupted prompt, in one trial."""
    source = Intervention(Add(Stored("v")), (Site(1),), Strength(0.5))
    layers, places = range(3), (2, 8, 11)
    arms = [clean(source)] + [
        Arm(
            f"{layer} {place}",
            (
                Intervention(
                    Replace(source_arm="clean", fraction=0.8),
                    (Site(layer, point),),
                    where=Where(Phase.PROMPT, ranges=(Range(place, place + 1),)),
                ),
            ),
        )
        for layer in layers
        for place in places
    ]
    with bench(tmp_path, kind, CROWD) as made:
        events = made.run(CORRUPTED, *arms)
        v = torch.tensor(made.planner.store.get("v").tensors[Site(1)])
    net = network(kind)
    at = [Site(layer, point) for layer in layers]
    seen = plain(net, CLEAN, {Site(1): lambda h: h + 0.5 * v}, at)
    for layer in layers:
        for place in places:
            name = f"{layer} {place}"
            generated = tokens(events, name)

            def patch(h, site=at[layer], place=place):
                h = h.clone()
                h[place] = 0.2 * h[place] + 0.8 * seen[site][place]
                return h

            own = plain_logprobs(net, CORRUPTED, generated, {at[layer]: patch})
            assert logprobs(events, name) == pytest.approx(own, abs=1e-5)


def plain(net, ids, edits, watch):
    """Activations of a prompt, after edits."""
    seen = {}

    def visit(site):
        def act(hidden):
            if site in edits:
                hidden[0] = edits[site](hidden[0])
            seen[site] = hidden[0].clone()

        return act

    with torch.no_grad(), visiting(net, {site: visit(site) for site in {*edits, *watch}}):
        seen["logits"] = net(torch.tensor([ids]), use_cache=False).logits[0]
    return seen


def plain_logprobs(net, ids, generated, edits) -> list[float]:
    logits = plain(net, [*ids, *generated[:-1]], edits, ())["logits"][len(ids) - 1 :]
    return torch.log_softmax(logits, -1)[range(len(generated)), generated].tolist()


@pytest.mark.parametrize("position", [3, -1, -12])
def test_one_position_of_the_source_goes_everywhere(running, position):
    site = Site(1)
    events = running.run(
        CORRUPTED,
        clean(),
        patched(
            Replace(source_arm="clean", source_position=position),
            [site],
            where=Where(Phase.DECODE),
            strength=Strength(0.5),
        ),
    )
    chosen = plain(network(), CLEAN, {}, [site])[site][position]

    def patch(h):
        h = h.clone()
        h[len(CORRUPTED) - 1 :] = 0.5 * h[len(CORRUPTED) - 1 :] + 0.5 * chosen
        return h

    own = plain_logprobs(network(), CORRUPTED, tokens(events, "patched"), {site: patch})
    assert logprobs(events, "patched") == pytest.approx(own, abs=1e-5)
    assert finished(events, "patched").receipts[0].tokens == 8


def test_a_source_whose_gate_is_shut_is_not_steered(running):
    shut = Gate(Site(1), 2.0, cosine=Stored("c"))
    source = Intervention(Add(Stored("v")), (Site(1),), gate=shut)
    gated = running.run(CORRUPTED, clean(source), patched(Replace(source_arm="clean")))
    plain = running.run(CORRUPTED, clean(), patched(Replace(source_arm="clean")))
    assert logprobs(gated, "patched") == logprobs(plain, "patched")


# ---- captures -----------------------------------------------------------------------------------


def keep(running: Bench, ids, *arms: Arm, where: Where = EVERYWHERE, sites=PRE) -> dict[str, str]:
    """Capture a trial and keep it: ids by arm."""
    request = CaptureTrial(running.trial(ids, *arms), sites, where, keep=True)
    plan = running.planner.capture(request, "capture")
    holding = Holding(plan, running.planner.captures)
    for event in running.events(plan):
        if isinstance(event, CapturedActivations):
            holding.add(event)
    return {held.arm: held.capture_id for held in holding.keep()}


def test_what_was_captured_can_be_patched_in(running):
    """Also what was captured of generated tokens, at the positions where they stood."""
    names = keep(running, CLEAN)
    events = running.run(
        CORRUPTED,
        clean(),
        patched(Replace(capture_id=names["baseline"]), (), where=EVERYWHERE),
    )
    assert tokens(events, "patched") == tokens(events, "clean")
    assert logprobs(events, "patched") == pytest.approx(logprobs(events, "clean"), abs=1e-5)
    assert {r.tokens for r in finished(events, "patched").receipts} == {len(CLEAN) + 7}


def test_a_capture_of_some_positions_patches_those(running):
    names = keep(running, CLEAN, where=Where(ranges=(Range(2, 4), Range(6, 7))))
    op = Replace(capture_id=names["baseline"])
    one = replace(op, source_position=6)
    events = running.run(
        CORRUPTED,
        patched(op, PRE[1:2], where=EVERYWHERE),
        Arm("one", (Intervention(one, PRE[1:2], where=Where(Phase.DECODE)),)),
    )
    assert finished(events, "patched").receipts[0].tokens == 3
    assert finished(events, "one").receipts[0].tokens == 8


# ---- what is refused ----------------------------------------------------------------------------


def refused(running: Bench, *arms: Arm) -> dict[str, str]:
    """Reasons by field of a trial that is refused."""
    with pytest.raises(SteerError) as caught:
        running.plan(CORRUPTED, *arms)
    return {each.field: each.reason for each in caught.value.violations}


AT = "trial.arms[1].interventions[0]"


@pytest.mark.parametrize(
    ("op", "sites", "field", "reason"),
    [
        (Replace(source_arm="nobody"), PRE, ".replace.source_arm", "NO_SUCH_ARM"),
        (Replace(source_arm="clean"), (), ".sites", "NO_SITE"),
        (Replace(source_arm="clean"), (Site(7),), ".sites[0].layer", "LAYER_OUT_OF_RANGE"),
        (
            Replace(source_arm="clean", source_position=12),
            PRE,
            ".replace.source_position",
            "NO_SUCH_POSITION",
        ),
        (
            Replace(source_arm="clean", source_position=-13),
            PRE,
            ".replace.source_position",
            "NO_SUCH_POSITION",
        ),
        (Replace(capture_id="cap-0"), PRE, ".replace.capture_id", "NO_SUCH_CAPTURE"),
    ],
)
def test_a_source_that_is_not_there_is_refused(running, op, sites, field, reason):
    assert refused(running, clean(), patched(op, sites)) == {AT + field: reason}


def test_an_arm_that_is_itself_patched_is_no_source(running):
    middle = Arm("middle", patched(Replace(source_arm="clean")).interventions)
    last = Arm("last", patched(Replace(source_arm="middle")).interventions)
    at = "trial.arms[{}].interventions[0].replace.source_arm"
    assert refused(running, clean(), middle, last) == {at.format(2): "CHAINED_PATCH"}
    assert refused(running, last, clean(), middle) == {at.format(0): "CHAINED_PATCH"}
    back = Arm("middle", patched(Replace(source_arm="last")).interventions)
    assert refused(running, clean(), back, last) == {
        at.format(1): "CHAINED_PATCH",
        at.format(2): "CHAINED_PATCH",
    }
    own = Arm("own", patched(Replace(source_arm="own")).interventions)
    assert refused(running, clean(), own) == {at.format(1): "CHAINED_PATCH"}


def test_a_capture_of_another_model_is_refused(running):
    values = np.zeros((2, WIDTH + 1), np.float32)
    name = running.planner.captures.keep(Captured(2, {PRE[0]: ((0, 1), values)}))
    found = refused(running, clean(), patched(Replace(capture_id=name)))
    assert found == {f"{AT}.replace.capture_id": "WIDTH_MISMATCH"}


def test_a_capture_patches_only_where_it_was_taken(running):
    names = keep(running, CLEAN, sites=PRE[:2])
    op = Replace(capture_id=names["baseline"])
    found = refused(running, clean(), patched(op, (PRE[0], PRE[2], Site(1))))
    assert found == {f"{AT}.sites[1]": "SITE_MISSING", f"{AT}.sites[2]": "SITE_MISSING"}


def test_a_position_that_was_not_captured_is_refused(running):
    names = keep(running, CLEAN, where=Where(ranges=(Range(2, 4), Range(6, 7))))
    for position in (0, 5, 7, -1, -12):
        op = Replace(capture_id=names["baseline"], source_position=position)
        found = refused(running, clean(), patched(op))
        assert found == {f"{AT}.replace.source_position": "NO_SUCH_POSITION"}


def test_captures_are_let_go_oldest_first():
    one = Captured(1, {Site(0): ((0,), np.zeros((1, WIDTH), np.float32))})
    held = Captures(limit=3 * one.size)
    first, second, third = (held.keep(one) for _ in range(3))
    assert held.get(first) is one
    fourth = held.keep(one)
    assert held.get(second) is None
    assert all(held.get(name) is one for name in (first, third, fourth))
    with pytest.raises(SteerError, match="128 bytes; this server keeps 100"):
        Captures(limit=100).keep(one)
