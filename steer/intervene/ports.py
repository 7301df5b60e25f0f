"""What planning needs from elsewhere, as protocols: text, the engine, stored recipes. No torch."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from steer.intervene.operands import Array
from steer.intervene.plan import PlannedArm, PlannedGate
from steer.types import Prompt, Site, StoredRecipe


class Text(Protocol):
    """Between text and token ids; ``models.text.Text`` is one."""

    @property
    def special(self) -> AbstractSet[int]:
        """Ids of special tokens."""

    def encode(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        """Token ids of a prompt. Raises InvalidRequest with a violation at ``path``."""

    def encode_bare(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        """The same without adding special tokens."""

    def stream(self, prompt: tuple[int, ...], special: bool = False) -> Any:
        """An incremental decoder (see ``where``) of what follows ``prompt``; with ``special`` it
        shows special tokens."""


class Reader(Protocol):
    """Reads activations of a prompt; ``engine.base.Engine`` is one. All calls block."""

    def norms(self, prompt: tuple[int, ...], sites: tuple[Site, ...]) -> Mapping[Site, float]:
        """Mean ‖h‖ over the tokens of the unsteered prompt at each site."""

    def readings(self, prompt: tuple[int, ...], gates: Sequence[PlannedGate]) -> Sequence[float]:
        """What gates of the scopes ``PROMPT`` and ``LAST`` read of the unsteered prompt."""

    def activations(self, arm: PlannedArm, sites: tuple[Site, ...]) -> Mapping[Site, Array]:
        """Activations (P, d_model) of an arm's prompt, after its interventions at each site."""


class Recipes(Protocol):
    """Stored recipes by name."""

    def get(self, name: str) -> StoredRecipe:
        """A recipe. Raises a SteerError where there is none, or it is damaged."""
