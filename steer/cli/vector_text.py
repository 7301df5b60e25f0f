"""A stored vector for the terminal."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from steer.cli.output import print_table
from steer.types import LensToken, SiteStatistics, VectorInfo

_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FIELDS = (
    "name version digest bundled content_hash kind description model fingerprint d_model method "
    "licence created"
).split()

# What the tables before the card's have said already.
_SAID = {*_FIELDS, "format", "sites", "norms", "residual_norms"} - {"model", "method"}


def print_vector(vector: VectorInfo, versions: Sequence[VectorInfo]) -> None:
    """All there is to say of it."""
    fields = asdict(vector)
    rows = [(field, fields[field]) for field in _FIELDS if fields[field] not in ("", False)]
    others = ", ".join(str(one.version) for one in versions)
    print_table(("field", "value"), [*rows, ("versions", others)])
    most = max(one.norm for one in vector.statistics)
    sizes = (
        (one.site, f"{one.norm:.4g}", _share(one), bar(one.norm, most)) for one in vector.statistics
    )
    print_table(("site", "norm", "‖v‖/‖h‖", ""), sizes)
    said = list(_said(vector.statistics))
    if said:
        print_table(("site", "", ""), said)
    rest = sorted(vector.card.keys() - _SAID)
    print_table(("card", ""), ((key, _json(vector.card[key])) for key in rest))


def bar(value: float, most: float, width: int = _WIDTH) -> str:
    """A bar of ``width`` characters for ``most``, to an eighth of one."""
    eighths = round(8 * width * value / most) if most else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _share(one: SiteStatistics) -> str:
    return "" if one.relative_norm is None else f"{one.relative_norm:.1%}"


def _said(statistics: Sequence[SiteStatistics]) -> Iterator[tuple[object, str, str]]:
    for one in statistics:
        if one.nearest:
            near = ", ".join(f"{other.name} {other.cosine:+.2f}" for other in one.nearest)
            yield one.site, "nearest", near
        for what, tokens in (("raises", one.top), ("lowers", one.bottom)):
            if tokens:
                yield one.site, what, _words(tokens)


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _words(tokens: Sequence[LensToken]) -> str:
    return "  ".join(f"{token.piece!r} {token.logit:+.2f}" for token in tokens)
