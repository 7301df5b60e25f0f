"""What a store tells of what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from steer.types.intervention import Intervention
from steer.types.site import Site


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored vector near another: its name, and the cosine of the two directions."""

    name: str
    cosine: float


@dataclass(frozen=True, slots=True)
class LensToken:
    """A token under the logit lens. ``logit``: that for the direction less that for zero."""

    token_id: int
    logit: float
    piece: str = ""


@dataclass(frozen=True, slots=True)
class SiteStatistics:
    """What there is to say of a stored vector at one site.

    ``norm``: how large it is there; ``relative_norm``: the same over the mean residual norm, None
    where the card does not have that. ``nearest``: by falling cosine. ``top`` and ``bottom``: the
    tokens a direction raises and lowers most, the furthest first.
    """

    site: Site
    norm: float
    relative_norm: float | None = None
    nearest: tuple[Neighbour, ...] = ()
    top: tuple[LensToken, ...] = ()
    bottom: tuple[LensToken, ...] = ()


@dataclass(frozen=True, slots=True)
class VectorInfo:
    """A stored vector as listings show it; ``card`` is the whole card as plain JSON values.

    ``norms``: how large it is at each of ``sites``. ``version``: its number, and ``digest`` the
    hash of that version; 0 and empty for what is not stored. ``bundled``: shipped with the server.
    ``card`` and ``statistics`` are there when one vector was asked for.
    """

    name: str
    content_hash: str
    kind: str
    description: str
    model: str
    fingerprint: str
    d_model: int
    sites: tuple[Site, ...]
    norms: tuple[float, ...]
    method: str
    licence: str
    created: str
    card: Mapping[str, object] = field(default_factory=dict)
    version: int = 0
    digest: str = ""
    bundled: bool = False
    statistics: tuple[SiteStatistics, ...] = ()

    @property
    def address(self) -> str:
        """``name@sha256:…``, which means this version for ever."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deletion did. ``removed``: versions that are no more, as ``name@number``.

    ``kept``: versions that their name no longer finds but their hash still does, because something
    refers to them; by address, who.
    """

    removed: tuple[str, ...]
    kept: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a store that is not as it was stored: where, and how."""

    where: str
    problem: str


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What checking a store found. ``versions``: how many were read to the last byte.

    ``leftovers``: files that interrupted writes left behind. They harm nothing, and go by
    themselves.
    """

    versions: int
    damage: tuple[Damage, ...]
    leftovers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredRecipe:
    """Interventions under a name. ``content_hash`` is filled in by the store."""

    name: str
    interventions: tuple[Intervention, ...]
    description: str = ""
    content_hash: str = ""
