"""Controls: recipes made from others, so that a difference can be told from what any change does.

steer.random_like(steer.add("x", strength=0.5), seed=1)
steer.within_class("x", seed=1)
steer.orthogonal_to("x", "y")
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from steer.client.operands import VectorLike, as_operand
from steer.client.options import Options, settings
from steer.client.recipe import Recipe, interventions_of
from steer.client.recipes import along
from steer.errors import InvalidRequest
from steer.types import (
    Add,
    Intervention,
    Op,
    Operand,
    OrthogonalTo,
    RandomLike,
    WithinClass,
    operand_of,
    redirected,
)

Subject = VectorLike | Recipe | Intervention


def random_like(of: Subject, seed: int = 0, **options: Unpack[Options]) -> Recipe:
    """The control every claim needs: a random direction with the norm of ``of`` at each site.

    A vector gives a recipe that adds it; a recipe stays as it is but for its operands.
    """
    return _derived(lambda operand: RandomLike(operand, seed), of, options)


def within_class(
    of: Subject, seed: int = 0, *, stratified: bool = False, **options: Unpack[Options]
) -> Recipe:
    """A random direction with the norm of ``of`` drawn from the data's own spread: the covariance
    within the classes it was made from. ``stratified``: one of the differences of means between
    labels shuffled inside the classes, number ``seed`` of those stored with it, from 0. Vectors and
    recipes as in ``random_like``."""
    return _derived(lambda operand: WithinClass(operand, seed, stratified), of, options)


def orthogonal_to(of: Subject, to: VectorLike, **options: Unpack[Options]) -> Recipe:
    """``of`` without its component along ``to``. Vectors and recipes as in ``random_like``."""
    other = as_operand(to)
    return _derived(lambda operand: OrthogonalTo(operand, other), of, options)


def negate(recipe: Recipe | Intervention) -> Recipe:
    """The same in the other direction. Raises InvalidRequest where that has no meaning: an op
    other than add and rotate, or an add whose strength the vector's card decides."""
    return -Recipe(interventions_of(recipe))


def _derived(wrap: Callable[[Operand], Operand], of: Subject, options: Options) -> Recipe:
    if not isinstance(of, Recipe | Intervention):
        return along(lambda operand: Add(wrap(operand)), of, options)
    fields = settings(options)
    return Recipe(
        tuple(replace(one, op=_wrapped(one.op, wrap), **fields) for one in interventions_of(of))
    )


def _wrapped(op: Op, wrap: Callable[[Operand], Operand]) -> Op:
    if operand_of(op) is None:
        raise InvalidRequest(f"the op {op.name} has no direction to change")
    return redirected(op, wrap)
