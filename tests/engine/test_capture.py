"""Captures: activations and latents as plain hooks see them, at the pace of whoever takes them."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from steer.engine import rows
from steer.engine.base import Done, Event, Failed, size
from steer.engine.embedded import capture as capturing
from steer.engine.embedded.engine import PAUSE, EmbeddedEngine
from steer.errors import Cancelled, DeadlineExceeded
from steer.intervene import sites
from steer.intervene.plan import CapturePlan, Plan, Readout
from steer.store import Architecture, Normalize
from steer.types import (
    CapturedActivations,
    CapturedFeatures,
    Chunk,
    Marker,
    Phase,
    Point,
    Range,
    Site,
    Where,
)
from tests.engine import items, treatments
from tests.engine.cases import CROWD, NEAR
from tests.engine.formulas import Coder
from tests.engine.hooked import Row, hooked
from tests.engine.plans import WIDTH, arm, baseline, plan, prompt
from tests.engine.treatments import Treatment, some_treatment
from tests.helpers import BOS, TEXT, engine, finished, network, run, tokens
from tests.intervene.where_reference import multipliers

Place = tuple[str, int, Site]
SITES = (Site(0, Point.RESID_PRE), Site(1, Point.ATTN_OUT), Site(1), Site(2, Point.MLP_OUT))
EVERYWHERE = Where(include_special_tokens=True)


def reading(
    one: Plan,
    at: Sequence[Site] = SITES,
    where: Where = EVERYWHERE,
    features: Sequence[Readout] = (),
) -> Plan:
    """A plan of which something is read."""
    asked = CapturePlan(tuple(at), tuple(features), where)
    return replace(one, measure=False, capture=asked)


def activations(events: Sequence[Event]) -> Mapping[Place, tuple[list[int], np.ndarray]]:
    """Positions and activations of each row at each site."""
    positions, parts = defaultdict(list), defaultdict(list)
    for event in events:
        if isinstance(event, CapturedActivations):
            place = event.arm, event.sample, event.site
            positions[place] += event.positions
            parts[place].append(np.frombuffer(event.data, "<f4").reshape(len(event.positions), -1))
    return {place: (positions[place], np.concatenate(parts[place])) for place in parts}


# ---- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["llama", "granite", "gpt_neox", "mixtral"])
def test_activations_of_every_row_equal_plain_hooks(kind):
    """After the interventions at each site; prompts, forced and sampled tokens; several samples."""
    net, chance, ids = network(kind), random.Random(kind), (BOS, *prompt(1, 40))
    given: dict[str, list[Treatment]] = {
        f"arm {number}": [some_treatment(chance, sites.points(net), 3) for _ in range(2)]
        for number in range(8)
    }
    arms = [
        arm(name, ids, *(one.planned(ids) for one in row), forced=[(), (9, 10)][len(name) % 2])
        for name, row in given.items()
    ]
    one = reading(plan(baseline(ids), *arms, samples=2, temperature=1.0, max_tokens=7))
    with engine(kind, replace(CROWD, step_tokens=24)) as running:
        events = run(running, [one])[one.request_id]
    found = activations(events)
    assert len(found) == 9 * 2 * len(SITES)
    compared = 0
    for name, row in {"baseline": [], **given}.items():
        for sample in (0, 1):
            generated = tokens(events, name, sample)
            (wanted,) = hooked(net, [Row(ids, generated, row, SITES)])
            if wanted.edge < NEAR:
                continue
            compared += 1
            for site in SITES:
                positions, values = found[name, sample, site]
                assert positions == list(range(len(ids) + len(generated) - 1))
                np.testing.assert_allclose(values, wanted.seen[site], rtol=1e-4, atol=1e-4)
    assert compared >= 16
    assert tokens(events, "baseline", 0) != tokens(events, "baseline", 1)


def test_what_is_read_does_not_change_what_is_generated():
    ids = prompt(1, 30)
    steered = arm("s", ids, treatments.rotate(Site(1), 1).planned(ids))
    plain = plan(baseline(ids), steered, measure=False, logprobs=5)
    with engine(limits=CROWD) as running:
        answers = run(running, [plain, reading(replace(plain, request_id="read"))])
    shown = [
        [e for e in answers[name] if isinstance(e, Chunk)] for name in (plain.request_id, "read")
    ]
    assert shown[0] == shown[1]
    assert (
        finished(answers["read"], "s").receipts == finished(answers[plain.request_id], "s").receipts
    )


def test_only_the_positions_asked_for_are_read():
    ids = (BOS, *prompt(4, 20), BOS, 15, 16, *prompt(3, 20))
    wheres = [
        Where(),
        Where(Phase.FIRST),
        Where(Phase.GENERATED, every=3),
        Where(ranges=(Range(2, 4), Range(-3, 45))),
        Where(markers=(Marker("t15 t16", tokens=5),)),
        Where(Phase.DECODE, token_ids=tuple(range(3, 60))),
        Where(Phase.PROMPT, exclude_token_ids=ids[3:9]),
    ]
    plans = [reading(plan(baseline(ids), max_tokens=9), where=where) for where in wheres]
    with engine(limits=replace(CROWD, step_tokens=20)) as running:
        answers = run(running, plans)
    for where, one in zip(wheres, plans, strict=True):
        events = answers[one.request_id]
        row = Row(ids, tokens(events, "baseline"), watch=SITES)
        (wanted,) = hooked(network(), [row])
        given = multipliers(where, len(ids), row.ids, row.pieces, TEXT.special)
        chosen = [place for place, multiplier in enumerate(given) if multiplier]
        assert 0 < len(chosen) < len(row.ids)
        for site in SITES:
            positions, values = activations(events)["baseline", 0, site]
            assert positions == chosen
            np.testing.assert_allclose(values, wanted.seen[site][chosen], rtol=1e-4, atol=1e-4)


ASKED = {
    Normalize.NONE: (5, (0, 39)),
    Normalize.LAYER_NORM: (0, (7,)),
    Normalize.CONSTANT_NORM: (99, ()),
}


@pytest.mark.parametrize("architecture", Architecture)
def test_latents_equal_the_whole_code(architecture):
    """The most active of each position and those asked for, under an arm that edits some."""
    ids, site = prompt(2, 75), Site(1)
    asked = [
        Readout(items.dictionary(architecture, site, 1, how, subtract=True), *what)
        for how, what in ASKED.items()
    ]
    edited = treatments.feature(asked[0].dictionary, [(3, "set", 6.0)])
    one = plan(baseline(ids), arm("s", ids, edited.planned(ids)), max_tokens=5)
    one = reading(one, at=(), features=asked)
    with engine(limits=CROWD) as running:
        events = run(running, [one])[one.request_id]
    for name, row in (("baseline", []), ("s", [edited])):
        (wanted,) = hooked(network(), [Row(ids, tokens(events, name), row, [site])])
        h = wanted.seen[site].double()
        for readout in asked:
            found = latents(events, name, readout)
            assert len(found) == len(h) == 79
            coder = Coder(readout.dictionary)
            clear = coder.edge(h, range(items.D_SAE)) > NEAR
            assert clear.sum() > 60
            for position in clear.nonzero().flatten().tolist():
                check_latents(found[position], coder.encode(h[position : position + 1])[0], readout)


def latents(events: Sequence[Event], name: str, readout: Readout) -> dict[int, dict[int, float]]:
    """What was read of a dictionary, by position."""
    return {
        position: dict(zip(each.indices, each.activations, strict=True))
        for event in events
        if isinstance(event, CapturedFeatures)
        and (event.arm, event.dictionary) == (name, readout.dictionary.name)
        for position, each in zip(event.positions, event.latents, strict=True)
    }


def check_latents(found: Mapping[int, float], code: torch.Tensor, readout: Readout) -> None:
    """One position: the right values, of the right latents."""
    for index, value in found.items():
        assert value == pytest.approx(code[index].item(), abs=1e-4)
    assert set(readout.indices) <= set(found)
    best = sorted((code > 1e-4).nonzero().flatten().tolist(), key=lambda i: -code[i])
    best = best[: readout.top_k]
    assert set(best) <= set(found)
    others = set(found) - set(best) - set(readout.indices)
    assert all(code[index] <= 1e-4 for index in others)
    order = [index for index in found if index in best]
    assert order == best


# ---- at whose pace ------------------------------------------------------------------------------


def test_what_is_large_comes_in_pieces(monkeypatch):
    monkeypatch.setattr(capturing, "PIECE", 7 * 4 * WIDTH)
    ids = prompt(3, 50)
    whole, pieces = (reading(plan(baseline(ids))) for _ in range(2))
    with engine(limits=CROWD) as running:
        events = run(running, [pieces])[pieces.request_id]
        monkeypatch.undo()
        wanted = activations(run(running, [whole])[whole.request_id])
    sizes = [len(e.positions) for e in events if isinstance(e, CapturedActivations)]
    assert max(sizes) == 7 and len(sizes) > len(SITES) * 8
    for place, (positions, values) in activations(events).items():
        assert positions == wanted[place][0] and np.array_equal(values, wanted[place][1])


class Taker:
    """Gathers what an engine hands over, and takes it only when told."""

    def __init__(self, running: EmbeddedEngine, one: Plan) -> None:
        self._running, self._id = running, one.request_id
        self._taken = 0
        self.events: list[Event] = []
        self.worked: list[bool] = []
        self.ended = threading.Event()
        self._step, running._loop.step = running._loop.step, self._counted
        running.submit(one, self._sink)

    def _counted(self) -> bool:
        self.worked.append(self._step())
        return self.worked[-1]

    def _sink(self, batch: Sequence[tuple[str, Sequence[Event]]]) -> None:
        for _, events in batch:
            self.events += events
            if isinstance(self.events[-1], Done | Failed):
                self.ended.set()

    @property
    def size(self) -> int:
        """Bytes handed over so far."""
        return sum(map(size, self.events))

    def take(self) -> None:
        """Say that everything was taken."""
        known = self.size
        self._running.took(self._id, known - self._taken)
        self._taken = known

    def settle(self) -> int:
        """Wait until the engine has nothing to do; how much has come."""
        begin = len(self.worked)
        while not self.ended.is_set():
            latest = self.worked[begin:][-3:]
            if len(latest) == 3 and not any(latest):
                break
            time.sleep(0.002)
        return self.size


TOKEN = 4 * WIDTH * len(SITES)
"""Bytes that a token is read for."""
SMALL = 20 * TOKEN


@contextmanager
def pausing(monkeypatch, one: Plan):
    """An engine whose plans may be ahead by ``SMALL`` bytes; a plan that waits for its taker."""
    monkeypatch.setattr(rows, "WINDOW", SMALL)
    with engine(limits=replace(CROWD, step_tokens=16)) as running:
        taker = Taker(running, one)
        ahead = taker.settle()
        assert not taker.ended.is_set()
        assert SMALL < ahead <= SMALL + 16 * TOKEN
        yield running, taker


@pytest.mark.parametrize("length", [5, 100])
def test_a_capture_that_nobody_takes_pauses_while_others_go_on(monkeypatch, length):
    """In its prompt as well as in what it generates."""
    ids = prompt(1, length)
    long = reading(plan(baseline(ids), max_tokens=80))
    with pausing(monkeypatch, long) as (running, taker):
        other = plan(baseline(prompt(2, 40)), max_tokens=40)
        assert len(tokens(run(running, [other])[other.request_id], "baseline")) == 40
        assert taker.settle() <= SMALL + 16 * TOKEN
        takes = 0
        while not taker.ended.is_set():
            before = taker.size
            taker.take()
            assert taker.settle() <= before + SMALL + 16 * TOKEN
            takes += 1
        assert takes >= (length + 79) // 40
        monkeypatch.undo()
        again = replace(long, request_id="again")
        wanted = activations(run(running, [again])["again"])
    assert isinstance(taker.events[-1], Done)
    found = activations(taker.events)
    assert found.keys() == wanted.keys()
    for place, (positions, values) in wanted.items():
        assert found[place][0] == positions
        np.testing.assert_allclose(found[place][1], values, rtol=1e-4, atol=1e-4)


def test_nothing_spins_while_a_capture_waits(monkeypatch):
    one = reading(plan(baseline(prompt(1, 5)), max_tokens=80))
    with pausing(monkeypatch, one) as (running, taker):
        before = len(taker.worked)
        time.sleep(10 * PAUSE)
        assert len(taker.worked) - before <= 12
        running.cancel(one.request_id)


def test_a_capture_that_waits_can_be_cancelled(monkeypatch):
    one = reading(plan(baseline(prompt(1, 5)), max_tokens=80))
    with pausing(monkeypatch, one) as (running, taker):
        running.cancel(one.request_id)
        assert taker.ended.wait(5)
        last = taker.events[-1]
        assert isinstance(last, Failed) and isinstance(last.error, Cancelled)
        assert running.load() == (0, 0)


def test_a_capture_that_waits_meets_its_deadline(monkeypatch):
    deadline = time.monotonic() + 3
    one = reading(plan(baseline(prompt(1, 5)), max_tokens=80, deadline=deadline))
    with pausing(monkeypatch, one) as (_, taker):
        assert taker.ended.wait(5)
        last = taker.events[-1]
        assert isinstance(last, Failed) and isinstance(last.error, DeadlineExceeded)
        assert 0 <= time.monotonic() - deadline < 1
