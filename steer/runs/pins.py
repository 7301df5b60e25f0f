"""What a spec names, made to stay what it is: a run does the same whatever is stored later."""

import logging
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from steer import expressions
from steer.errors import FailedPrecondition, InvalidRequest, SteerError, Violations
from steer.intervene.ports import Recipes
from steer.specs import EvaluateSpec, RunSpec, SweepSpec
from steer.store import Store
from steer.types import Arm, Expression, Feature, Gate, Intervention, LowRank, Replace, Stored

log = logging.getLogger("steer.runs")

T = TypeVar("T")
Name = Callable[[str], str]

# Which fields hold the name of a stored thing; empty where there is none.
_NAMES: dict[type, tuple[str, ...]] = {
    Stored: ("name",),
    Feature: ("dictionary",),
    LowRank: ("vector",),
    Gate: ("probe", "dictionary"),
}


def pin(
    spec: RunSpec, store: Store, recipes: Recipes, run_id: str
) -> tuple[RunSpec, tuple[str, ...]]:
    """The spec with recipes written out and every name an address by hash, and the addresses.

    The store keeps their versions until ``release``. Raises InvalidRequest, NotFound or
    FailedPrecondition with every violation, and then keeps none.
    """
    found, kept = Violations(), _Kept(store, run_id)
    work = spec.work
    if isinstance(work, EvaluateSpec | SweepSpec):
        arms = tuple(
            _pinned_arm(arm, recipes, kept, f"spec.{work.kind}.arms[{index}]", found)
            for index, arm in enumerate(work.arms)
        )
        work = replace(work, arms=arms)
    try:
        found.raise_if_any()
    except SteerError:
        release(tuple(kept.addresses), store, run_id)
        raise
    return replace(spec, work=work), tuple(kept.addresses)


def release(addresses: tuple[str, ...], store: Store, run_id: str) -> None:
    """Let go of what a run kept."""
    for address in addresses:
        try:
            store.release(address, run_id)
        except SteerError as error:
            log.warning("run %s keeps %s: %s", run_id, address, error.message)


def named(items: tuple[Intervention, ...]) -> tuple[str, ...]:
    """Every name of a stored thing in these interventions, each once. Raises InvalidRequest where
    one patches from a capture."""
    found: dict[str, None] = {}

    def noted(name: str) -> str:
        found[name] = None
        return name

    _renamed(items, noted)
    return tuple(found)


class _Kept:
    """Refers to versions for a run. ``addresses``: which, each once."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self.addresses: dict[str, None] = {}

    def address(self, name: str) -> str:
        try:
            version = self._store.refer(name, self._run_id)
        except FailedPrecondition as error:
            if error.reason != "STORE_NOT_WRITABLE":
                raise
            # Nobody can delete anything here, but from elsewhere.
            log.warning("run %s does not keep %s: %s", self._run_id, name, error.message)
            version = self._store.resolve(name)
        self.addresses[version.address] = None
        return version.address


def _pinned_arm(arm: Arm, recipes: Recipes, kept: _Kept, path: str, found: Violations) -> Arm:
    try:
        written = [item for name in arm.recipes for item in recipes.get(name).interventions]
        whole = replace(arm, interventions=(*written, *arm.interventions), recipes=())
        return _renamed(whole, kept.address)
    except SteerError as error:
        found.add(path, error.reason, error.message, type(error))
        return arm


def _renamed(value: T, name: Name) -> T:
    """The same value with every name in it replaced."""
    changed: Any = value
    if isinstance(value, tuple):
        changed = tuple(_renamed(item, name) for item in value)
    elif isinstance(value, Expression):
        changed = Expression(expressions.renamed(value.text, name))
    elif is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Replace) and value.capture_id:
            message = "patches from a capture, which is gone when the server ends; store it"
            raise InvalidRequest(message, reason="CAPTURE_IN_RUN")
        names = _NAMES.get(type(value), ())
        given = {item.name: getattr(value, item.name) for item in fields(value)}
        changed = replace(
            value,
            **{
                field: name(inner) if field in names and inner else _renamed(inner, name)
                for field, inner in given.items()
            },
        )
    return changed  # type: ignore[no-any-return]
