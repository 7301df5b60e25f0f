"""The card of a vector: what it is, what it was made for, how it was made and measured."""

import json
import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from steer.store.spec import DictionarySpec
from steer.store.typed import check_characters, typed
from steer.store.where import where_from_dict, where_to_dict
from steer.types import Site, Strength, Unit, Where

FORMAT = "steer.vector/1"


class CardError(ValueError):
    """A card.json that can not be read; says which field and why."""


@dataclass(frozen=True, slots=True)
class Card:
    """Everything ``card.json`` holds. Norms are mean ‖h‖ (float32) at the deployment positions.

    ``kind`` is a key of ``steer.store.KINDS`` and says which tensors there are. ``strength`` and
    ``where`` are the defaults the vector was made for; ``steer.add(name)`` uses them. ``measured``
    says how well it worked, with n and split. ``dictionary`` is there for the kinds ``sae`` and
    ``transcoder`` alone. The store fills in the rest: ``norms``, how large it is
    at each site (what that means is for the kind to say); ``content_hash``, what receipts show; and
    ``sha256``, that of the tensor file.
    """

    model: str
    fingerprint: str
    d_model: int
    sites: tuple[Site, ...]
    method: str
    kind: str = "direction"
    description: str = ""
    revision: str = ""
    residual_norms: Mapping[Site, float] = field(default_factory=dict)
    strength: Strength = Strength()
    where: Where = Where()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    created: str = ""
    dictionary: DictionarySpec | None = None
    norms: Mapping[Site, float] = field(default_factory=dict)
    content_hash: str = ""
    sha256: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, in the order a reader wants them."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "description": self.description,
            "model": {"id": self.model, "revision": self.revision, "fingerprint": self.fingerprint},
            "d_model": self.d_model,
            "sites": [str(site) for site in self.sites],
            "residual_norms": _by_name(self.residual_norms),
            "defaults": {
                "strength": {"value": self.strength.value, "unit": self.strength.unit.value},
                "where": where_to_dict(self.where),
            },
            **({"dictionary": self.dictionary.to_dict()} if self.dictionary else {}),
            "method": {"name": self.method, "parameters": dict(self.parameters)},
            "data_hash": self.data_hash,
            "measured": dict(self.measured),
            "licence": self.licence,
            "created": self.created,
            **({"norms": _by_name(self.norms)} if self.norms else {}),
            **({"content_hash": self.content_hash} if self.content_hash else {}),
            "sha256": self.sha256,
        }

    def to_json(self) -> str:
        """``to_dict`` as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Read a card. Raises CardError naming every field that does not fit."""
        try:
            raw = json.loads(text, parse_constant=_refuse, parse_float=_finite)
            check_characters(text, raw)
        except (ValueError, RecursionError) as error:
            raise CardError(f"not JSON: {error}") from error
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise CardError(f"format: want {FORMAT!r}")
        return _from_dict(raw)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        _refuse(text)
    return number


def _from_dict(raw: Mapping[str, Any]) -> Card:
    """Raises CardError with everything that does not fit."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, (path, read, needed) in _FIELDS.items():
        try:
            value = _at(raw, path)
            if value is not None:
                values[name] = read(value, path)
            elif needed:
                raise ValueError(f"{path}: missing")
        except ValueError as error:
            # Several fields may lie in what is no object.
            if str(error) not in problems:
                problems.append(str(error))
    if problems:
        raise CardError("; ".join(problems))
    return Card(**values)


def _at(raw: Mapping[str, Any], path: str) -> Any:
    """The value at a path; None where there is none."""
    *way, last = path.split(".")
    for key in way:
        raw = {} if raw.get(key) is None else _object(raw[key], key)
    return raw.get(last)


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{path}: is {value!r:.100}, want an object")
    only = _ONLY.get(path)
    if only and (unknown := value.keys() - only):
        raise ValueError(f"{path}: {', '.join(sorted(unknown))[:200]}: unknown")
    return value


def _text(value: Any, path: str) -> str:
    return typed(value, str, path)


def _width(value: Any, path: str) -> int:
    if (width := typed(value, int, path)) < 1:
        raise ValueError(f"{path}: is {width}, want at least 1")
    return width


def _number(value: Any, path: str) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"{path}: is {value!r:.100}, want a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{path}: is beyond float64") from error


def _sites(value: Any, path: str) -> tuple[Site, ...]:
    sites = tuple(_site(one, path) for one in typed(value, list, path))
    if not sites or len(set(sites)) < len(sites):
        raise ValueError(f"{path}: are {value!r:.200}, want one or more, each once")
    return sites


def _site(value: Any, path: str) -> Site:
    try:
        return Site.parse(typed(value, str, path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _norms(value: Any, path: str) -> dict[Site, float]:
    found = _object(value, path)
    return {_site(site, path): _number(norm, f"{path}.{site}") for site, norm in found.items()}


def _residual_norms(value: Any, path: str) -> dict[Site, float]:
    norms = _norms(value, path)
    for site, norm in norms.items():
        if norm <= 0:
            raise ValueError(f"{path}.{site}: is {norm}, want a number above 0")
    return norms


def _inner(read: Callable[[dict[str, Any]], Any]) -> Callable[[Any, str], Any]:
    """Reads an object by what raises errors of Python for what has another form."""

    def inner(value: Any, path: str) -> Any:
        raw = _object(value, path)
        try:
            return read(raw)
        except KeyError as error:
            raise ValueError(f"{path}.{error.args[0]}: missing") from error
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error

    return inner


def _strength(value: Any, path: str) -> Strength:
    raw = _object(value, path)
    unit = raw.get("unit", Unit.RAW)
    if unit not in list(Unit):
        raise ValueError(f"{path}.unit: is {unit!r}, want {' or '.join(Unit)}")
    return Strength(_number(raw.get("value", 1.0), f"{path}.value"), Unit(unit))


def _by_name(norms: Mapping[Site, float]) -> dict[str, float]:
    return {str(site): norm for site, norm in norms.items()}


# What is misspelt here would go unseen, and the vector act with another strength.
_ONLY: Mapping[str, Set[str]] = {
    "defaults": {"strength", "where"},
    "defaults.strength": {"value", "unit"},
}
_FIELDS: Mapping[str, tuple[str, Callable[[Any, str], Any], bool]] = {
    "model": ("model.id", _text, True),
    "revision": ("model.revision", _text, False),
    "fingerprint": ("model.fingerprint", _text, True),
    "d_model": ("d_model", _width, True),
    "sites": ("sites", _sites, True),
    "method": ("method.name", _text, True),
    "parameters": ("method.parameters", _object, False),
    "kind": ("kind", _text, True),
    "description": ("description", _text, False),
    "residual_norms": ("residual_norms", _residual_norms, False),
    "strength": ("defaults.strength", _strength, False),
    "where": ("defaults.where", _inner(where_from_dict), False),
    "data_hash": ("data_hash", _text, False),
    "measured": ("measured", _object, False),
    "licence": ("licence", _text, False),
    "created": ("created", _text, False),
    "dictionary": ("dictionary", _inner(DictionarySpec.from_dict), False),
    "norms": ("norms", _norms, False),
    "content_hash": ("content_hash", _text, False),
    "sha256": ("sha256", _text, False),
}
"""Of a card: where each is in card.json, what reads it and names the path when it can not, and
whether it has to be there."""
