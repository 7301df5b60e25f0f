"""Gates: whether a recipe acts at all, as a caller writes it.

    steer.add("calm").when(steer.cosine("anger", above=0.3, at=8))
    steer.add("calm").when(steer.probe("is-question", above=0.5, at=8, scope="token"))
    steer.add("calm").when(steer.active("sae/l8", 512, above=2.0, at=8))

Each opens when its reading is above, or below, a threshold. ``at`` is where it reads: a layer,
(layer, point) or a ``steer.Site``, not later than where the recipe acts. ``scope``: ``prompt``
decides once, from the mean over the unsteered prompt (a feature: from its largest activation),
``last`` once, from the prompt's last token, ``token`` at every token. Raises InvalidRequest.
"""

from typing import Any, TypedDict, Unpack

from steer import wire
from steer.client.checked import check, member
from steer.client.operands import VectorLike, as_operand
from steer.client.sites import SiteLike, as_site
from steer.errors import InvalidRequest
from steer.types import Gate, GateScope


class GateOptions(TypedDict, total=False):
    """Exactly one of ``above`` and ``below``; ``at`` has no default; ``scope`` is ``prompt``."""

    above: float
    below: float
    at: SiteLike
    scope: str


def cosine(vector: VectorLike, *, absolute: bool = False, **options: Unpack[GateOptions]) -> Gate:
    """Reads the cosine of h to a vector, -1 to 1; ``absolute`` drops its sign, as conditional
    activation steering does (arXiv 2409.05907)."""
    return _gate(options, cosine=as_operand(vector), absolute=absolute)


def probe(name: str, **options: Unpack[GateOptions]) -> Gate:
    """Reads the probability, 0 to 1, that a stored vector of kind ``probe`` gives."""
    return _gate(options, probe=name)


def active(dictionary: str, feature: int, **options: Unpack[GateOptions]) -> Gate:
    """Reads the activation of a latent (0-based) of a stored dictionary, in its own units."""
    return _gate(options, dictionary=dictionary, feature=feature)


def _gate(options: GateOptions, **reading: Any) -> Gate:
    if unknown := options.keys() - GateOptions.__annotations__.keys():
        names = ", ".join(GateOptions.__annotations__)
        raise TypeError(f"unknown option {min(unknown)!r}; have {names}")
    if ("above" in options) == ("below" in options):
        raise InvalidRequest("give exactly one of above and below")
    if "at" not in options:
        raise InvalidRequest("say at which site the gate reads: at=layer or at=(layer, point)")
    made = Gate(
        site=as_site(options["at"]),
        threshold=options["above"] if "above" in options else options["below"],
        below="below" in options,
        scope=member(GateScope, options.get("scope", GateScope.PROMPT)),
        **reading,
    )
    return check(made, wire.build_gate, wire.parse_gate)
