"""Numbers over rows: measurements against the unsteered model, and scores."""

import steer.v1 as pb
from steer.types import Measurement, ScoredArm
from steer.wire.rows import build_receipt, parse_receipt


def build_measurement(measurement: Measurement) -> pb.Measurement:
    """One row against the unsteered model."""
    return pb.Measurement(
        arm=measurement.arm,
        sample=measurement.sample,
        first_divergence=measurement.first_divergence,
        kl=measurement.kl,
        logprobs=measurement.logprobs,
        baseline_logprobs=measurement.baseline_logprobs,
        mean_kl=measurement.mean_kl,
    )


def parse_measurement(message: pb.Measurement) -> Measurement:
    """One row against the unsteered model."""
    diverges = message.HasField("first_divergence")
    return Measurement(
        arm=message.arm,
        sample=message.sample,
        first_divergence=message.first_divergence if diverges else None,
        kl=tuple(message.kl),
        logprobs=tuple(message.logprobs),
        baseline_logprobs=tuple(message.baseline_logprobs),
    )


def build_scored_arm(arm: ScoredArm) -> pb.ScoredArm:
    """A continuation under one arm."""
    return pb.ScoredArm(
        name=arm.name,
        logprobs=arm.logprobs,
        ranks=arm.ranks,
        kl=arm.kl,
        total_logprob=arm.total,
        receipts=[build_receipt(receipt) for receipt in arm.receipts],
    )


def parse_scored_arm(message: pb.ScoredArm) -> ScoredArm:
    """A continuation under one arm."""
    return ScoredArm(
        name=message.name,
        logprobs=tuple(message.logprobs),
        ranks=tuple(message.ranks),
        kl=tuple(message.kl),
        receipts=tuple(parse_receipt(receipt) for receipt in message.receipts),
    )
