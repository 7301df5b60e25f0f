"""What all kinds of stored things have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

from steer.store.card import Card
from steer.store.checks import Array
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
    def read(cls, name: str, card: Card, arrays: Mapping[str, Array], sha256: str) -> Self:
        """From a card, tensors by name, and the sha256 of the file they are in.

        Raises InvalidRequest with everything that does not fit.
        """

    @abstractmethod
    def arrays(self) -> dict[str, Array]:
        """Its tensors by name, in the order of the file."""

    @abstractmethod
    def norms(self) -> dict[Site, float]:
        """How large it is at each of its sites; each kind says what that means."""

    def info(self) -> VectorInfo:
        """The thing as listings show it."""
        card = self.card
        norms = card.norms or self.norms()
        return VectorInfo(
            name=self.name,
            content_hash=self.content_hash,
            kind=card.kind,
            description=card.description,
            model=card.model,
            fingerprint=card.fingerprint,
            d_model=card.d_model,
            sites=card.sites,
            norms=tuple(norms[site] for site in card.sites),
            method=card.method,
            licence=card.licence,
            created=card.created,
            card=card.to_dict(),
        )


def norm(array: Array) -> float:
    """Euclidean norm in float64, to seven digits: the same on every machine."""
    return float(f"{float((array.astype('f8') ** 2).sum()) ** 0.5:.7g}")
