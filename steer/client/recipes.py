"""Recipes: interventions as they are written down, short and composable. One function for each op;
those that make controls of them are in ``controls.py``.

    steer.add("a1-rloo", strength=0.5, layer=2, where="decode")
    steer.add("x") + steer.ablate("y")
    steer.feature("sae/l8", {512: 4.0}).when(steer.active("sae/l8", 512, above=0.0, at=8))
    steer.patch(arm="clean", layer=8, position=-1)

Every recipe is checked when it is made: a bad argument raises ``steer.InvalidRequest`` at once.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Unpack

from steer.client.checked import member
from steer.client.operands import VectorLike, as_operand
from steer.client.options import Options, settings
from steer.client.recipe import Recipe
from steer.errors import InvalidRequest
from steer.types import (
    Add,
    Feature,
    FeatureEdit,
    FeatureMode,
    Intervention,
    LowRank,
    Op,
    Operand,
    Point,
    Project,
    Replace,
    Rotate,
)


def add(vector: VectorLike, **options: Unpack[Options]) -> Recipe:
    """h + s·v. ``vector``: a stored name, an array of shape (d_model,), or {layer: array}."""
    return along(Add, vector, options)


def project(
    vector: VectorLike, low: float = 0.0, high: float = 0.0, **options: Unpack[Options]
) -> Recipe:
    """Bring the component of h along v̂ into [``low``, ``high``]; ``±math.inf`` is no bound."""
    return along(lambda operand: Project(operand, low, high), vector, options)


def ablate(vector: VectorLike, **options: Unpack[Options]) -> Recipe:
    """Remove the component of h along v̂."""
    return project(vector, **options)


def pin(vector: VectorLike, value: float, **options: Unpack[Options]) -> Recipe:
    """Set the component of h along v̂ to ``value``."""
    return project(vector, value, value, **options)


def clamp(
    vector: VectorLike,
    low: float = -math.inf,
    high: float = math.inf,
    **options: Unpack[Options],
) -> Recipe:
    """Keep the component of h along v̂ within [``low``, ``high``]."""
    return project(vector, low, high, **options)


def rotate(vector: VectorLike, degrees: float, **options: Unpack[Options]) -> Recipe:
    """Rotate h by ``degrees`` (-180 to 180) towards v̂, or away from it, keeping ‖h‖."""
    return along(lambda operand: Rotate(operand, degrees), vector, options)


def feature(
    dictionary: str,
    latents: int | Mapping[int, float],
    value: float | None = None,
    *,
    mode: str = FeatureMode.SET,
    **options: Unpack[Options],
) -> Recipe:
    """Edit latents of a stored SAE: ``feature("sae", 512, 4.0)`` or ``feature("sae", {512: 4.0})``.

    ``mode``: ``set`` the activation to the value, ``scale`` it by the value, or ``add`` the value.
    What the SAE does not reconstruct stays as it is. It acts at the dictionary's own site.
    """
    if isinstance(latents, Mapping) == (value is not None):
        raise InvalidRequest("give either {index: value}, or an index and a value")
    values: Mapping[int, Any] = latents if isinstance(latents, Mapping) else {latents: value}
    chosen = member(FeatureMode, mode)
    edits = tuple(FeatureEdit(index, one, chosen) for index, one in values.items())
    return _one(Feature(dictionary, edits), options)


def low_rank(name: str, **options: Unpack[Options]) -> Recipe:
    """h + Rᵀ(W h + b - R h): a stored low-rank intervention (ReFT, arXiv 2404.03592)."""
    return _one(LowRank(name), options)


def patch(
    *,
    arm: str = "",
    capture: str = "",
    vector: VectorLike | None = None,
    position: int | None = None,
    fraction: float = 1.0,
    **options: Unpack[Options],
) -> Recipe:
    """Put another activation in the place of h: (1 - s·fraction)·h + s·fraction·source.

    The source is exactly one of: ``arm``, another arm of the same trial, whose activations over its
    prompt are taken; ``capture``, what ``client.capture(…, keep=True)`` left on the server, by its
    id (``Capture.held``); ``vector``, as in ``add``. Of the first two, ``position`` takes the one
    position for all (negative: from the end of the source's prompt); without it every position
    takes the source's same position. ``fraction``: 0 to 1.
    """
    given = [name for name, one in (("arm", arm), ("capture", capture)) if one]
    given += [] if vector is None else ["vector"]
    if len(given) != 1:
        raise InvalidRequest(f"give exactly one of arm, capture, vector, not {len(given)}")
    if vector is None:
        source = Replace(
            capture_id=capture, source_arm=arm, fraction=fraction, source_position=position
        )
        return _one(source, options)
    return along(
        lambda operand: Replace(operand, fraction=fraction, source_position=position),
        vector,
        options,
    )


def along(make: Callable[[Operand], Op], vector: VectorLike, options: Options) -> Recipe:
    """The recipe of an op that works with a direction."""
    fields = settings(options, needs_layer=not isinstance(vector, Mapping))
    operand = as_operand(vector, member(Point, options.get("point") or Point.RESID_POST))
    return Recipe((Intervention(make(operand), **fields),))


def _one(op: Op, options: Options) -> Recipe:
    return Recipe((Intervention(op, **settings(options)),))
