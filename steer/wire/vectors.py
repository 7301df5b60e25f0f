"""What is stored: vectors and dictionaries, what there is to say of them, what became of them."""

from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

import steer.v1 as pb
from steer.types import (
    Damage,
    LensToken,
    Neighbour,
    Removed,
    SiteStatistics,
    StoreReport,
    VectorInfo,
)
from steer.wire.check import Check
from steer.wire.operands import build_site, parse_site

# Beyond this a float no longer tells neighbouring integers apart.
_EXACT = 2**53

# Fields that have one name and one plain type in both worlds.
_VECTOR = (
    "name content_hash kind description model fingerprint d_model method licence created version "
    "digest bundled"
).split()
_TOKEN = ("token_id", "logit", "piece")


def build_vector(vector: VectorInfo, with_card: bool) -> pb.Vector:
    """A stored vector, with its whole card or without it; statistics are sent apart."""
    return pb.Vector(
        **{name: getattr(vector, name) for name in _VECTOR},
        sites=[build_site(site) for site in vector.sites],
        norms=vector.norms,
        card=ParseDict(dict(vector.card), Struct()) if with_card else None,
    )


def parse_vector(message: pb.Vector) -> VectorInfo:
    """A stored vector; ``card`` is empty when it was not sent."""
    return VectorInfo(
        **{name: getattr(message, name) for name in _VECTOR},
        sites=tuple(parse_site(site, Check.begin()) for site in message.sites),
        norms=tuple(message.norms),
        card=_whole(MessageToDict(message.card)),
    )


def build_statistics(statistics: SiteStatistics) -> pb.SiteStatistics:
    """What there is to say of one site."""
    return pb.SiteStatistics(
        site=build_site(statistics.site),
        norm=statistics.norm,
        relative_norm=statistics.relative_norm,
        nearest=[pb.Neighbour(name=one.name, cosine=one.cosine) for one in statistics.nearest],
        top=map(_build_token, statistics.top),
        bottom=map(_build_token, statistics.bottom),
    )


def parse_statistics(message: pb.SiteStatistics) -> SiteStatistics:
    """What there is to say of one site."""
    return SiteStatistics(
        site=parse_site(message.site, Check.begin()),
        norm=message.norm,
        relative_norm=message.relative_norm if message.HasField("relative_norm") else None,
        nearest=tuple(Neighbour(one.name, one.cosine) for one in message.nearest),
        top=tuple(map(_parse_token, message.top)),
        bottom=tuple(map(_parse_token, message.bottom)),
    )


def build_removed(removed: Removed) -> pb.DeleteVectorResponse:
    """What a deletion did."""
    kept = [pb.KeptVersion(address=address, referred_by=by) for address, by in removed.kept.items()]
    return pb.DeleteVectorResponse(removed=removed.removed, kept=kept)


def parse_removed(message: pb.DeleteVectorResponse) -> Removed:
    """What a deletion did."""
    kept = {one.address: tuple(one.referred_by) for one in message.kept}
    return Removed(tuple(message.removed), kept)


def build_store_report(report: StoreReport) -> pb.VerifyVectorsResponse:
    """What checking a store found."""
    return pb.VerifyVectorsResponse(
        versions=report.versions,
        damage=[pb.Damage(where=one.where, problem=one.problem) for one in report.damage],
        leftovers=report.leftovers,
    )


def parse_store_report(message: pb.VerifyVectorsResponse) -> StoreReport:
    """What checking a store found."""
    damage = tuple(Damage(one.where, one.problem) for one in message.damage)
    return StoreReport(message.versions, damage, tuple(message.leftovers))


def _build_token(token: LensToken) -> pb.LensToken:
    return pb.LensToken(**{name: getattr(token, name) for name in _TOKEN})


def _parse_token(message: pb.LensToken) -> LensToken:
    return LensToken(**{name: getattr(message, name) for name in _TOKEN})


def _whole(value: Any) -> Any:
    """The same with integers as such: JSON on the wire knows only floats."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    return value
