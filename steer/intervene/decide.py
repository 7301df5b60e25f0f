"""Gates that are decided once, before a row runs. No torch."""

from collections.abc import Sequence
from dataclasses import replace

from steer.intervene.plan import PlannedArm, PlannedIntervention
from steer.intervene.ports import Reader
from steer.types import GateScope


def decide(arms: Sequence[PlannedArm], reader: Reader) -> list[PlannedArm]:
    """The arms with every gate of the scopes ``PROMPT`` and ``LAST`` decided. Each prompt is run
    once, whatever the number of gates."""
    waiting: dict[tuple[int, ...], list[PlannedIntervention]] = {}
    for arm in arms:
        pending = [item for item in arm.interventions if _is_pending(item)]
        if pending:
            waiting.setdefault(arm.prompt, []).extend(pending)
    readings: dict[tuple[tuple[int, ...], int], float] = {}
    for prompt, items in waiting.items():
        gates = [item.gate for item in items if item.gate is not None]
        for item, reading in zip(items, reader.readings(prompt, gates), strict=True):
            readings[prompt, id(item)] = reading
    return [
        replace(
            arm,
            interventions=tuple(
                _with(item, readings[arm.prompt, id(item)]) if _is_pending(item) else item
                for item in arm.interventions
            ),
        )
        for arm in arms
    ]


def _is_pending(item: PlannedIntervention) -> bool:
    gate = item.gate
    return gate is not None and gate.scope is not GateScope.TOKEN and gate.decision is None


def _with(item: PlannedIntervention, reading: float) -> PlannedIntervention:
    assert item.gate is not None
    return replace(item, gate=replace(item.gate, decision=item.gate.decided(reading)))
