"""Rows with any treatments, and whether an engine gives what plain hooks give."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from pytest import approx
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.base import Done, Event
from steer.engine.embedded.engine import EmbeddedEngine
from steer.intervene.plan import PlannedArm
from steer.types import Chunk, Receipt
from tests.engine.hooked import Hooked, Row, hooked
from tests.engine.plans import arm, plan
from tests.engine.treatments import Treatment
from tests.helpers import Limits, finished, network, run, tokens

TOLERANCE = 1e-5
"""Of a log-probability, for each intervention of the row: each rounds once more."""
NEAR = 2e-4
"""Of a choice: rounding might make it differently, and then everything after it differs."""
CROWD = Limits(max_rows=1024, kv_tokens=1024 * 128, step_tokens=1024, max_queue=4096)


@dataclass(frozen=True)
class Case:
    """A row: prompt, treatments, forced tokens."""

    ids: tuple[int, ...]
    treatments: Sequence[Treatment]
    forced: tuple[int, ...] = ()

    def arm(self, name: str) -> PlannedArm:
        """As the planner would make it."""
        items = [one.planned(self.ids) for one in self.treatments]
        return arm(name, self.ids, *items, forced=self.forced)


def check(
    net: PreTrainedModel, cases: Sequence[Case], names: Sequence[str], events: Sequence[Event]
) -> int:
    """How many rows could be compared; raises when one is not what plain hooks give."""
    assert isinstance(events[-1], Done), events[-1]
    rows = [
        Row(case.ids, tokens(events, name), case.treatments)
        for case, name in zip(cases, names, strict=True)
    ]
    compared = 0
    for case, name, row, wanted in zip(cases, names, rows, hooked(net, rows), strict=True):
        if wanted.edge > NEAR:
            compared += 1
            logprobs = [x for e in of(events, name) for x in e.logprobs]
            check_tokens(row.generated, logprobs, wanted.logits[len(case.ids) - 1 :], case)
            check_receipts(finished(events, name).receipts, wanted, case.treatments)
    return compared


def of(events: Sequence[Event], name: str) -> list[Chunk]:
    """The chunks of an arm."""
    return [event for event in events if isinstance(event, Chunk) and event.arm == name]


def check_tokens(
    generated: Sequence[int], logprobs: Sequence[float], logits: Tensor, case: Case
) -> None:
    """Log-probabilities are right, and no other token would have been better."""
    found = torch.log_softmax(logits, -1)
    own = found[range(len(generated)), generated]
    allowed = {"rtol": 1e-6, "atol": TOLERANCE * max(1, len(case.treatments))}
    torch.testing.assert_close(torch.tensor(logprobs), own, **allowed)
    free = slice(len(case.forced), None)
    torch.testing.assert_close(own[free], found[free].amax(-1), **allowed)


def check_receipts(
    receipts: Sequence[Receipt], wanted: Hooked, treatments: Sequence[Treatment]
) -> None:
    """Receipts say what plain hooks saw."""
    for index, (receipt, note, one) in enumerate(
        zip(receipts, wanted.notes, treatments, strict=True)
    ):
        assert (receipt.intervention, receipt.op, receipt.site) == (index, one.op, one.site)
        assert receipt.tokens == note.tokens
        assert receipt.mean_change == approx(note.mean_change, rel=1e-4, abs=1e-6)
        assert [f.index for f in receipt.features] == [f.index for f in note.features]
        for mine, other in zip(receipt.features, note.features, strict=True):
            assert mine.mean_before == approx(other.mean_before, rel=1e-4, abs=1e-4)
            assert mine.mean_after == approx(other.mean_after, rel=1e-4, abs=1e-4)
        assert (receipt.gate is None) == (note.gate is None)
        if receipt.gate is not None and note.gate is not None:
            assert receipt.gate.readings == note.gate.readings
            assert receipt.gate.opened == note.gate.opened
            assert receipt.gate.mean_reading == approx(note.gate.mean_reading, rel=1e-4, abs=1e-4)


def check_batch(
    running: EmbeddedEngine, kind: str, cases: Sequence[Case], max_tokens: int, alone: int = 0
) -> None:
    """Run all of them in one batch, some of them once more alone, and check every row; a few may
    be too near a choice to be compared."""
    net = network(kind)
    arms = [case.arm(f"row {number}") for number, case in enumerate(cases)]
    singles = random.Random(kind).sample(range(len(cases)), alone)
    compared = 0
    for chosen in (range(len(cases)), *([number] for number in singles)):
        some = [arms[number] for number in chosen]
        one = plan(*some, measure=False, logprobs=1, max_tokens=max_tokens)
        events = run(running, [one])[one.request_id]
        names = [each.name for each in some]
        compared += check(net, [cases[number] for number in chosen], names, events)
    assert compared > 0.9 * (len(cases) + alone)
