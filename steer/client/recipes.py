"""Recipes: interventions as they are written down, short and composable.

    steer.add("a1-rloo", strength=0.5, layer=2, when="decode")
    steer.add("x") + steer.ablate("y")
    steer.random_like(steer.add("x", strength=0.5), seed=1)

Every recipe is checked when it is made: a bad argument raises ``steer.InvalidRequest`` at once.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Unpack

from steer.client.checked import member
from steer.client.operands import VectorLike, as_operand
from steer.client.options import Options, settings
from steer.client.recipe import Recipe, interventions_of
from steer.errors import InvalidRequest
from steer.types import (
    Add,
    Intervention,
    Op,
    Operand,
    OrthogonalTo,
    Point,
    Project,
    RandomLike,
    Replace,
    Rotate,
)


def add(vector: VectorLike, **options: Unpack[Options]) -> Recipe:
    """h + s·v. ``vector``: a stored name, an array of shape (d_model,), or {layer: array}."""
    return _recipe(Add, vector, options)


def project(
    vector: VectorLike, low: float = 0.0, high: float = 0.0, **options: Unpack[Options]
) -> Recipe:
    """Bring the component of h along v̂ into [``low``, ``high``]; ``±math.inf`` is no bound."""
    return _recipe(lambda operand: Project(operand, low, high), vector, options)


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


def random_like(
    of: VectorLike | Recipe | Intervention, seed: int = 0, **options: Unpack[Options]
) -> Recipe:
    """The control every claim needs: a random direction with the norm of ``of`` at each site.

    A vector gives a recipe that adds it; a recipe stays as it is but for its operands.
    """
    return _derived(lambda operand: RandomLike(operand, seed), of, options)


def orthogonal_to(
    of: VectorLike | Recipe | Intervention, to: VectorLike, **options: Unpack[Options]
) -> Recipe:
    """``of`` without its component along ``to``. Vectors and recipes as in ``random_like``."""
    other = as_operand(to)
    return _derived(lambda operand: OrthogonalTo(operand, other), of, options)


def negate(recipe: Recipe | Intervention) -> Recipe:
    """The same in the other direction. Raises InvalidRequest where that has no meaning: an op
    other than add and rotate, or an add whose strength the vector's card decides."""
    return -Recipe(interventions_of(recipe))


def _recipe(make: Callable[[Operand], Op], vector: VectorLike, options: Options) -> Recipe:
    fields = settings(options, needs_layer=not isinstance(vector, Mapping))
    operand = as_operand(vector, member(Point, options.get("point") or Point.RESID_POST))
    return Recipe((Intervention(make(operand), **fields),))


def _derived(
    wrap: Callable[[Operand], Operand],
    of: VectorLike | Recipe | Intervention,
    options: Options,
) -> Recipe:
    if not isinstance(of, Recipe | Intervention):
        return _recipe(lambda operand: Add(wrap(operand)), of, options)
    fields = settings(options)
    return Recipe(
        tuple(replace(one, op=_wrapped(one.op, wrap), **fields) for one in interventions_of(of))
    )


def _wrapped(op: Op, wrap: Callable[[Operand], Operand]) -> Op:
    if isinstance(op, Add | Project | Rotate):
        return replace(op, operand=wrap(op.operand))
    if isinstance(op, Replace) and op.operand is not None:
        return replace(op, operand=wrap(op.operand))
    raise InvalidRequest(f"the op {op.name} has no direction to change")
