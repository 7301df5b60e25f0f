"""What a caller may call a vector, and the operand it becomes."""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from steer.client.sites import SiteLike, as_site
from steer.errors import InvalidRequest
from steer.expressions import is_expression
from steer.types import Direction, Expression, Inline, Operand, Point, Stored

# A stored name, an expression of stored names (``"think - 0.5*hedge"``), an operand, an array of
# shape (d_model,), or {layer or site: such an array}. An array is anything with ``tolist`` or
# ``__array__`` (numpy, torch, array.array) or a sequence.
VectorLike = str | Operand | Mapping[SiteLike, Any] | Iterable[float] | Any


def as_operand(vector: VectorLike, point: Point = Point.RESID_POST) -> Operand:
    """The operand a caller means. ``point`` completes bare layers. Raises InvalidRequest."""
    if isinstance(vector, Operand):
        return vector
    if isinstance(vector, str):
        return Expression(vector) if is_expression(vector) else Stored(vector)
    if isinstance(vector, Mapping):
        return Inline(
            tuple(Direction(float32(one), as_site(key, point)) for key, one in vector.items())
        )
    return Inline((Direction(float32(vector)),))


def float32(values: Any) -> bytes:
    """Numbers of shape (d_model,) as little-endian float32. Raises InvalidRequest."""
    if hasattr(values, "__array__") and not hasattr(values, "tolist"):
        values = values.__array__()
    try:
        numbers = values.tolist() if hasattr(values, "tolist") else list(values)
        return struct.pack(f"<{len(numbers)}f", *numbers)
    except (TypeError, struct.error):
        shape = getattr(values, "shape", None)
        kind = type(values).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
        raise InvalidRequest(
            "a vector is a stored name, a one-dimensional array of numbers or {layer: array}, "
            f"not this {kind}"
        ) from None
    except OverflowError:
        raise InvalidRequest("a vector holds a number too large for float32") from None
