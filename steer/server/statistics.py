"""What there is to say of a stored vector: how large it is, what is near, what tokens it raises."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from steer.errors import FailedPrecondition, InvalidRequest, SteerError, Violation
from steer.server.core import Core
from steer.store import Item, Probe, Store, Vector
from steer.store.checks import Array
from steer.types import LensToken, Neighbour, Site, SiteStatistics, VectorInfo

MOST = 100
"""Neighbours, and tokens, that may be asked for."""

_PAGE = 1000

Statistics = tuple[SiteStatistics, ...]


def sizes(info: VectorInfo) -> Statistics:
    """How large a vector is at each site, from its card alone."""
    residual: Any = info.card.get("residual_norms") or {}
    pairs = zip(info.sites, info.norms, strict=True)
    return tuple(
        SiteStatistics(site, norm, norm / usual if (usual := residual.get(str(site))) else None)
        for site, norm in pairs
    )


def check_count(count: int, field: str) -> None:
    """Raise InvalidRequest unless so many may be asked for."""
    if count > MOST:
        message = f"is {count}; give 0 to {MOST}"
        raise _refusal(InvalidRequest, field, "OUT_OF_RANGE", message)


def directions(item: Item, field: str) -> Mapping[Site, Array]:
    """The directions (d_model,) of an item by site. Raises FailedPrecondition where it has none."""
    match item:
        case Vector():
            return item.tensors
        case Probe():
            return {site: probe.weight for site, probe in item.sites.items()}
    message = f"is for directions and probes; {item.name!r} is a {item.kind}"
    raise _refusal(FailedPrecondition, field, "WRONG_KIND", message)


def with_nearest(
    store: Store, info: VectorInfo, item: Item, count: int, statistics: Statistics
) -> Statistics:
    """The same with the ``count`` stored vectors of the largest cosine at each site."""
    own = {site: _unit(array) for site, array in directions(item, "nearest").items()}
    found: dict[Site, list[tuple[float, str]]] = {site: [] for site in own}
    for other in _comparable(store, info):
        for site, array in _others(store, other).items():
            if site in own:
                found[site].append((float(own[site] @ _unit(array)), other.name))
    return tuple(replace(one, nearest=_largest(found[one.site], count)) for one in statistics)


def with_tokens(
    ready: Callable[[], Core], info: VectorInfo, item: Item, count: int, statistics: Statistics
) -> Statistics:
    """The same with ``count`` tokens at each end of the logit lens of the model that is ready."""
    arrays, core = directions(item, "tokens"), ready()
    if info.d_model != core.model.d_model:
        message = f"{info.name!r} has width {info.d_model}, the served model {core.model.d_model}"
        raise _refusal(FailedPrecondition, "tokens", "WIDTH_MISMATCH", message)
    seen = core.engine.lens([arrays[one.site] for one in statistics], count)
    return tuple(
        replace(one, top=_named(core, lens.top), bottom=_named(core, lens.bottom))
        for one, lens in zip(statistics, seen, strict=True)
    )


def _comparable(store: Store, info: VectorInfo) -> Iterator[VectorInfo]:
    """Other vectors that live in the same space; where the model's weights are not known, of the
    same name."""
    after = ""
    while page := store.page(after, _PAGE):
        after = page[-1].name
        for other in page:
            same = (other.d_model, other.fingerprint or other.model) == (
                info.d_model,
                info.fingerprint or info.model,
            )
            if same and other.name != info.name and other.kind in ("direction", "probe"):
                yield other


def _others(store: Store, info: VectorInfo) -> Mapping[Site, Array]:
    # One that is damaged must not hide the others. Asking for it says why.
    try:
        return directions(store.get(info.name, keep=False), "nearest")
    except SteerError:
        return {}


def _unit(array: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    wide = array.astype(np.float64)
    return wide / np.linalg.norm(wide)


def _largest(found: list[tuple[float, str]], count: int) -> tuple[Neighbour, ...]:
    nearest = heapq.nsmallest(count, found, key=lambda pair: (-pair[0], pair[1]))
    return tuple(Neighbour(name, cosine) for cosine, name in nearest)


def _named(core: Core, tokens: tuple[LensToken, ...]) -> tuple[LensToken, ...]:
    pieces = core.text.pieces(tuple(token.token_id for token in tokens))
    return tuple(replace(one, piece=piece) for one, piece in zip(tokens, pieces, strict=True))


def _refusal(kind: type[SteerError], field: str, reason: str, message: str) -> SteerError:
    return kind(f"{field} {message}", reason=reason, violations=[Violation(field, reason, message)])
