"""An op with its sites, its strength, where it acts and whether."""

from dataclasses import dataclass
from enum import StrEnum

from steer.types.op import Op
from steer.types.operand import Operand
from steer.types.site import Site
from steer.types.where import Where


class Unit(StrEnum):
    """What a strength is measured in."""

    RAW = "raw"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Strength:
    """How much: ``RAW`` multiplies the stored vector, ``RELATIVE`` is a fraction of mean ‖h‖."""

    value: float = 1.0
    unit: Unit = Unit.RAW


class GateScope(StrEnum):
    """Once from the prompt's mean activation, once from its last token, or at every token."""

    PROMPT = "prompt"
    LAST = "last"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether an intervention acts, from an activation at an earlier or equal site.

    Exactly one of ``cosine``, ``probe`` and ``dictionary`` with ``feature`` is what is read. Scopes
    ``PROMPT`` and ``LAST`` read the unsteered prompt, so that the decision does not depend on the
    arm's other interventions; ``TOKEN`` reads the row itself. ``absolute`` drops the reading's
    sign.
    """

    site: Site
    threshold: float
    cosine: Operand | None = None
    probe: str = ""
    dictionary: str = ""
    feature: int | None = None
    below: bool = False
    scope: GateScope = GateScope.PROMPT
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class Intervention:
    """Op + sites + strength + where + gate. ``None`` and ``()`` mean: as the vector's card says."""

    op: Op
    sites: tuple[Site, ...] = ()
    strength: Strength | None = None
    where: Where | None = None
    gate: Gate | None = None
    keep_norm: bool = False
    must_fire: bool = False
