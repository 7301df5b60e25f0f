"""The card of a vector: what it is, what it was made for, how it was made and measured."""

import json
import math
from collections.abc import Mapping
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
        """Read a card. Raises CardError naming the field."""
        try:
            raw = json.loads(text, parse_constant=_refuse, parse_float=_finite)
            check_characters(text, raw)
        except (ValueError, RecursionError) as error:
            raise CardError(f"not JSON: {error}") from error
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise CardError(f"format: want {FORMAT!r}")
        try:
            return _from_dict(raw)
        except KeyError as error:
            raise CardError(f"{error.args[0]}: missing") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise CardError(str(error)) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        _refuse(text)
    return number


def _from_dict(raw: Mapping[str, Any]) -> Card:
    model, method = _section(raw["model"], "model"), _section(raw["method"], "method")
    # What is misspelt here would go unseen, and the vector act with another strength.
    defaults = _section(raw.get("defaults", {}), "defaults", "strength", "where")
    strength = _section(defaults.get("strength", {}), "defaults.strength", "value", "unit")
    dictionary = raw.get("dictionary")
    return Card(
        model=str(model["id"]),
        revision=str(model.get("revision", "")),
        fingerprint=str(model["fingerprint"]),
        d_model=typed(raw["d_model"], int, "d_model"),
        sites=_sites(raw["sites"]),
        method=str(method["name"]),
        parameters=dict(method.get("parameters", {})),
        kind=str(raw["kind"]),
        description=str(raw.get("description", "")),
        residual_norms=_by_site(raw.get("residual_norms", {})),
        strength=Strength(float(strength.get("value", 1.0)), Unit(strength.get("unit", "raw"))),
        where=where_from_dict(_section(defaults.get("where", {}), "defaults.where")),
        data_hash=str(raw.get("data_hash", "")),
        measured=dict(raw.get("measured", {})),
        licence=str(raw.get("licence", "")),
        created=str(raw.get("created", "")),
        dictionary=DictionarySpec.from_dict(dictionary) if dictionary else None,
        norms=_by_site(raw.get("norms", {})),
        content_hash=str(raw.get("content_hash", "")),
        sha256=str(raw.get("sha256", "")),
    )


def _section(value: Any, field: str, *only: str) -> Mapping[str, Any]:
    """An object inside the card, with no other keys than ``only`` if there are any."""
    if not isinstance(value, dict):
        raise ValueError(f"{field}: is {value!r}, want an object")
    if only and (unknown := value.keys() - set(only)):
        raise ValueError(f"{field}: {', '.join(sorted(unknown))}: unknown")
    return value


def _sites(raw: list[str]) -> tuple[Site, ...]:
    sites = tuple(map(Site.parse, raw))
    if not sites or len(set(sites)) < len(sites):
        raise ValueError(f"sites: are {raw}, want one or more, each once")
    return sites


def _by_name(norms: Mapping[Site, float]) -> dict[str, float]:
    return {str(site): norm for site, norm in norms.items()}


def _by_site(norms: Mapping[str, Any]) -> dict[Site, float]:
    return {Site.parse(site): float(norm) for site, norm in norms.items()}
