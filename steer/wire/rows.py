"""Rows: new tokens, ends, and receipts."""

from google.protobuf.duration_pb2 import Duration

import steer.v1 as pb
from steer.errors import ServerError
from steer.types import (
    Alternative,
    Chunk,
    FeatureReceipt,
    Finished,
    FinishReason,
    GateReceipt,
    Receipt,
    Usage,
)
from steer.wire.check import Check
from steer.wire.enums import FINISH_REASON
from steer.wire.operands import build_site, parse_site

_NANO = 10**9


def build_chunk(chunk: Chunk) -> pb.Chunk:
    """New tokens of one row."""
    return pb.Chunk(
        arm=chunk.arm,
        sample=chunk.sample,
        token_ids=chunk.token_ids,
        text=chunk.text,
        logprobs=chunk.logprobs,
        ranks=chunk.ranks,
        alternatives=[_build_alternatives(step) for step in chunk.alternatives],
        margins=chunk.margins,
    )


def parse_chunk(message: pb.Chunk | pb.Row) -> Chunk:
    """New tokens of one row, or all tokens of a whole row."""
    return Chunk(
        arm=message.arm,
        sample=message.sample,
        token_ids=tuple(message.token_ids),
        text=message.text,
        logprobs=tuple(message.logprobs),
        ranks=tuple(message.ranks),
        alternatives=tuple(
            tuple(Alternative(one.token_id, one.logprob) for one in step.tokens)
            for step in message.alternatives
        ),
        margins=tuple(message.margins),
    )


def _build_alternatives(step: tuple[Alternative, ...]) -> pb.Alternatives:
    tokens = [pb.Alternative(token_id=one.token_id, logprob=one.logprob) for one in step]
    return pb.Alternatives(tokens=tokens)


def build_finished(finished: Finished) -> pb.Finished:
    """The end of one row."""
    return pb.Finished(
        arm=finished.arm,
        sample=finished.sample,
        reason=FINISH_REASON.build(finished.reason),
        stop=finished.stop,
        usage=_build_usage(finished.usage),
        receipts=[build_receipt(receipt) for receipt in finished.receipts],
    )


def parse_finished(message: pb.Finished) -> Finished:
    """The end of one row. Raises ServerError for a reason this version does not know."""
    return Finished(
        arm=message.arm,
        sample=message.sample,
        reason=_parse_reason(message.reason),
        stop=message.stop,
        usage=_parse_usage(message.usage),
        receipts=tuple(parse_receipt(receipt) for receipt in message.receipts),
    )


def _parse_reason(number: int) -> FinishReason:
    reason = FINISH_REASON.find(number)
    if reason is None:
        raise ServerError(f"a row finished for the unknown reason {number}; is the client too old?")
    return reason


def build_row(chunk: Chunk, finished: Finished) -> pb.Row:
    """A whole row: all its tokens as one chunk, and its end."""
    return pb.Row(
        arm=chunk.arm,
        sample=chunk.sample,
        token_ids=chunk.token_ids,
        text=chunk.text,
        logprobs=chunk.logprobs,
        ranks=chunk.ranks,
        alternatives=[_build_alternatives(step) for step in chunk.alternatives],
        finished=build_finished(finished),
        margins=chunk.margins,
    )


def parse_row(message: pb.Row) -> tuple[Chunk, Finished]:
    """A whole row: all its tokens as one chunk, and its end."""
    return parse_chunk(message), parse_finished(message.finished)


def _build_usage(usage: Usage) -> pb.Usage:
    return pb.Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        queue_time=_build_duration(usage.queue_time),
        prefill_time=_build_duration(usage.prefill_time),
        decode_time=_build_duration(usage.decode_time),
    )


def _parse_usage(message: pb.Usage) -> Usage:
    return Usage(
        message.prompt_tokens,
        message.completion_tokens,
        message.cached_tokens,
        _parse_duration(message.queue_time),
        _parse_duration(message.prefill_time),
        _parse_duration(message.decode_time),
    )


def _build_duration(seconds: float) -> Duration:
    whole, nanos = divmod(round(seconds * _NANO), _NANO)
    return Duration(seconds=whole, nanos=nanos)


def _parse_duration(message: Duration) -> float:
    return (message.seconds * _NANO + message.nanos) / _NANO


def build_receipt(receipt: Receipt) -> pb.Receipt:
    """What one intervention did at one site in one row."""
    return pb.Receipt(
        intervention=receipt.intervention,
        op=receipt.op,
        operand=receipt.operand,
        content_hash=receipt.content_hash,
        site=build_site(receipt.site),
        coefficient=receipt.coefficient,
        tokens=receipt.tokens,
        mean_change=receipt.mean_change,
        gate=None if receipt.gate is None else _build_gate(receipt.gate),
        features=[_build_feature(feature) for feature in receipt.features],
    )


def parse_receipt(message: pb.Receipt) -> Receipt:
    """What one intervention did at one site in one row."""
    return Receipt(
        intervention=message.intervention,
        op=message.op,
        operand=message.operand,
        content_hash=message.content_hash,
        site=parse_site(message.site, Check.begin()),
        coefficient=message.coefficient,
        tokens=message.tokens,
        mean_change=message.mean_change,
        gate=_parse_gate(message.gate) if message.HasField("gate") else None,
        features=tuple(_parse_feature(feature) for feature in message.features),
    )


def _build_gate(gate: GateReceipt) -> pb.GateReceipt:
    return pb.GateReceipt(
        readings=gate.readings, opened=gate.opened, mean_reading=gate.mean_reading
    )


def _parse_gate(message: pb.GateReceipt) -> GateReceipt:
    return GateReceipt(message.readings, message.opened, message.mean_reading)


def _build_feature(feature: FeatureReceipt) -> pb.FeatureReceipt:
    return pb.FeatureReceipt(
        index=feature.index, mean_before=feature.mean_before, mean_after=feature.mean_after
    )


def _parse_feature(message: pb.FeatureReceipt) -> FeatureReceipt:
    return FeatureReceipt(message.index, message.mean_before, message.mean_after)
