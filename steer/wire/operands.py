"""Sites and operands: the directions that ops work with."""

import math
import struct
from collections.abc import Iterable

import steer.v1 as pb
from steer import expressions
from steer.errors import InvalidRequest
from steer.types import (
    Direction,
    Expression,
    Inline,
    Operand,
    OrthogonalTo,
    RandomLike,
    Site,
    Stored,
    WithinClass,
)
from steer.wire.check import Check
from steer.wire.enums import POINT


def build_site(site: Site) -> pb.Site:
    """A site."""
    return pb.Site(layer=site.layer, point=POINT.build(site.point))


def parse_site(message: pb.Site, check: Check) -> Site:
    """A site. Whether the model has such a layer is for the plan to say."""
    return Site(message.layer, POINT.parse(message.point, check.at("point")))


def parse_sites(messages: Iterable[pb.Site], check: Check) -> tuple[Site, ...]:
    """The field ``sites`` of a message."""
    sites = [parse_site(one, check.at("sites", i)) for i, one in enumerate(messages)]
    return check.at("sites").distinct(sites, "names a site twice; give each site once")


def build_operand(operand: Operand) -> pb.Operand:
    """Any operand."""
    match operand:
        case Stored(name):
            return pb.Operand(vector=name)
        case Inline(directions):
            sent = pb.InlineVector(directions=[_build_direction(one) for one in directions])
            return pb.Operand(inline=sent)
        case RandomLike(of, seed):
            return pb.Operand(random_like=pb.RandomLike(of=build_operand(of), seed=seed))
        case OrthogonalTo(of, to):
            both = pb.OrthogonalTo(of=build_operand(of), to=build_operand(to))
            return pb.Operand(orthogonal_to=both)
        case WithinClass(of, seed, stratified):
            within = pb.WithinClass(of=build_operand(of), seed=seed, stratified=stratified)
            return pb.Operand(within_class=within)
        case Expression(text):
            return pb.Operand(expression=text)


def parse_operand(message: pb.Operand, check: Check) -> Operand:
    """Any operand, however deeply nested."""
    match message.WhichOneof("source"):
        case "vector":
            return Stored(check.at("vector").require(message.vector))
        case "inline":
            return _parse_inline(message.inline, check.at("inline"))
        case "random_like":
            random = message.random_like
            return RandomLike(parse_operand(random.of, check.at("random_like.of")), random.seed)
        case "orthogonal_to":
            both, at = message.orthogonal_to, check.at("orthogonal_to")
            return OrthogonalTo(
                parse_operand(both.of, at.at("of")), parse_operand(both.to, at.at("to"))
            )
        case "within_class":
            within = message.within_class
            of = parse_operand(within.of, check.at("within_class.of"))
            return WithinClass(of, within.seed, within.stratified)
        case "expression":
            return _parse_expression(message.expression, check.at("expression"))
    check.fail(
        "REQUIRED",
        "has no source; give one of vector, inline, random_like, orthogonal_to, within_class, "
        "expression",
    )
    return Stored("")


def _build_direction(direction: Direction) -> pb.Direction:
    tensor = pb.Tensor(
        shape=[len(direction.data) // 4], dtype=pb.D_TYPE_FLOAT32, data=direction.data
    )
    site = None if direction.site is None else build_site(direction.site)
    return pb.Direction(tensor=tensor, site=site)


def _parse_inline(message: pb.InlineVector, check: Check) -> Inline:
    directions = tuple(
        _parse_direction(one, check.at("directions", i)) for i, one in enumerate(message.directions)
    )
    sites = [direction.site for direction in directions]
    at = check.at("directions")
    if not directions:
        at.fail("REQUIRED", "is empty; give at least one direction")
    if len(sites) > 1 and None in sites:
        at.fail("REQUIRED", "has several directions, so give each of them a site")
    elif len(set(sites)) < len(sites):
        at.fail("DUPLICATE", "names a site twice; give at most one direction for each site")
    if len({len(direction.data) for direction in directions}) > 1:
        at.fail("SHAPE", "has directions of different widths; give all the model's width")
    return Inline(directions)


def _parse_expression(text: str, check: Check) -> Expression:
    try:
        expressions.parse(text)
    except InvalidRequest as error:
        check.fail(error.reason, error.message)
    return Expression(text)


def _parse_direction(message: pb.Direction, check: Check) -> Direction:
    site = parse_site(message.site, check.at("site")) if message.HasField("site") else None
    _check_tensor(message.tensor, check.at("tensor"))
    return Direction(message.tensor.data, site)


def _check_tensor(tensor: pb.Tensor, check: Check) -> None:
    if tensor.dtype not in (pb.D_TYPE_UNSPECIFIED, pb.D_TYPE_FLOAT32):
        check.at("dtype").fail("UNKNOWN_ENUM", f"is {tensor.dtype}; give D_TYPE_FLOAT32 (1)")
        return
    shape = list(tensor.shape)
    if len(shape) != 1 or shape[0] < 1:
        check.at("shape").fail("SHAPE", f"is {shape}; give one dimension, the model's width")
    elif len(tensor.data) != 4 * shape[0]:
        wanted = f"{4 * shape[0]} bytes of float32 for shape {shape}"
        check.at("data").fail("SHAPE", f"has {len(tensor.data)} bytes; give {wanted}")
    elif not all(map(math.isfinite, struct.unpack(f"<{shape[0]}f", tensor.data))):
        check.at("data").fail("NOT_FINITE", "holds NaN or infinity; give finite numbers")
