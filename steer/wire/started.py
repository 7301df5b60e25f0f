"""The first message of an answer: everything that will be applied, resolved."""

import steer.v1 as pb
from steer.types import GateDecision, ResolvedArm, ResolvedIntervention, Started
from steer.wire.branches import build_branching, read_branching
from steer.wire.check import Check
from steer.wire.operands import build_site, parse_site
from steer.wire.sampling import build_sampling, parse_sampling
from steer.wire.where import build_where, parse_where


def build_started(started: Started) -> pb.Started:
    """The first message of an answer."""
    return pb.Started(
        request_id=started.request_id,
        model=started.model,
        fingerprint=started.fingerprint,
        sampling=build_sampling(started.sampling),
        samples=started.samples,
        arms=[_build_resolved_arm(arm) for arm in started.arms],
        branching=None if started.branching is None else build_branching(started.branching),
    )


def parse_started(message: pb.Started) -> Started:
    """The first message of an answer."""
    check = Check.begin()
    return Started(
        request_id=message.request_id,
        model=message.model,
        fingerprint=message.fingerprint,
        sampling=parse_sampling(message.sampling, check),
        samples=message.samples,
        arms=tuple(_parse_resolved_arm(arm) for arm in message.arms),
        branching=(
            read_branching(message.branching, check) if message.HasField("branching") else None
        ),
    )


def _build_resolved_arm(arm: ResolvedArm) -> pb.ResolvedArm:
    return pb.ResolvedArm(
        name=arm.name,
        prompt_token_ids=arm.prompt_token_ids,
        forced_token_ids=arm.forced_token_ids,
        interventions=[_build_resolved(one) for one in arm.interventions],
        shares_prefill=arm.shares_prefill,
    )


def _parse_resolved_arm(message: pb.ResolvedArm) -> ResolvedArm:
    return ResolvedArm(
        name=message.name,
        prompt_token_ids=tuple(message.prompt_token_ids),
        forced_token_ids=tuple(message.forced_token_ids),
        interventions=tuple(_parse_resolved(one) for one in message.interventions),
        shares_prefill=message.shares_prefill,
    )


def _build_resolved(resolved: ResolvedIntervention) -> pb.ResolvedIntervention:
    coefficients = [
        pb.SiteCoefficient(site=build_site(site), coefficient=coefficient)
        for site, coefficient in resolved.coefficients
    ]
    return pb.ResolvedIntervention(
        op=resolved.op,
        operand=resolved.operand,
        content_hash=resolved.content_hash,
        coefficients=coefficients,
        where=build_where(resolved.where),
        gate=None if resolved.gate is None else _build_decision(resolved.gate),
    )


def _parse_resolved(message: pb.ResolvedIntervention) -> ResolvedIntervention:
    check = Check.begin()
    return ResolvedIntervention(
        op=message.op,
        operand=message.operand,
        content_hash=message.content_hash,
        coefficients=tuple(
            (parse_site(one.site, check), one.coefficient) for one in message.coefficients
        ),
        where=parse_where(message.where, check),
        gate=_parse_decision(message.gate) if message.HasField("gate") else None,
    )


def _build_decision(gate: GateDecision) -> pb.GateDecision:
    return pb.GateDecision(reading=gate.reading, open=gate.open)


def _parse_decision(message: pb.GateDecision) -> GateDecision:
    return GateDecision(message.reading, message.open)
