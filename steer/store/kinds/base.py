"""What all kinds of stored things have in common."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Self

from steer.store.card import Card
from steer.store.checks import Array, Tensors
from steer.store.summary import summary
from steer.types import Site, VectorInfo


class Item(ABC):
    """A stored thing: a card, tensors, and a name. ``content_hash`` is empty until it is stored."""

    name: str
    card: Card
    content_hash: str

    @property
    def kind(self) -> str:
        """Its row of ``KINDS``."""
        return self.card.kind

    @classmethod
    @abstractmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """From a card and tensors. Raises InvalidRequest with everything that does not fit."""

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Its tensors by name, in the order of the file."""

    @abstractmethod
    def norms(self) -> dict[Site, float]:
        """How large it is at each of its sites; each kind says what that means."""

    def full_card(self) -> Card:
        """The card with what can be told from the tensors."""
        known = self.card.norms.keys() == set(self.card.sites)
        norms = self.card.norms if known else self.norms()
        return replace(self.card, norms=norms, content_hash=self.content_hash)

    def info(self) -> VectorInfo:
        """The thing as listings show it."""
        return summary(self.name, self.full_card())


def norm(array: Array) -> float:
    """Euclidean norm in float64, to seven digits: the same on every machine."""
    return float(f"{float((array.astype('f8') ** 2).sum()) ** 0.5:.7g}")
