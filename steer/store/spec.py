"""What a card says of a dictionary beyond its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from steer.store.typed import typed
from steer.types import Site


class Architecture(StrEnum):
    """Which latents of a dictionary are active. Batch-top-k is stored as ``JUMPRELU``."""

    STANDARD = "standard"
    GATED = "gated"
    JUMPRELU = "jumprelu"
    TOPK = "topk"


class Normalize(StrEnum):
    """What is done with h before a dictionary reads it; the decoder's part is scaled back.

    ``LAYER_NORM``: (h - mean) / (s + 1e-5) with s the standard deviation by d - 1, back by s.
    ``CONSTANT_NORM``: h·c with c = sqrt(d_model) / ‖h‖, back by 1 / c. Anything else that writers
    do is a constant and is folded into the weights on import.
    """

    NONE = "none"
    LAYER_NORM = "layer_norm"
    CONSTANT_NORM = "constant_norm"


@dataclass(frozen=True, slots=True)
class DictionarySpec:
    """What a dictionary's tensors do not say. ``k`` is of ``TOPK``, ``site_out`` of transcoders.

    ``apply_b_dec_to_input``: the decoder's bias is subtracted before encoding.
    """

    architecture: Architecture
    d_sae: int
    k: int | None = None
    normalize: Normalize = Normalize.NONE
    apply_b_dec_to_input: bool = False
    site_out: Site | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "architecture": self.architecture.value,
            "d_sae": self.d_sae,
            "k": self.k,
            "normalize": self.normalize.value,
            "apply_b_dec_to_input": self.apply_b_dec_to_input,
            "site_out": None if self.site_out is None else str(self.site_out),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "DictionarySpec":
        """Read what ``to_dict`` wrote. Raises KeyError or ValueError naming the field."""
        k, site_out = raw.get("k"), raw.get("site_out")
        return cls(
            architecture=Architecture(raw["architecture"]),
            d_sae=typed(raw["d_sae"], int, "dictionary.d_sae"),
            k=None if k is None else typed(k, int, "dictionary.k"),
            normalize=Normalize(raw.get("normalize", Normalize.NONE)),
            apply_b_dec_to_input=typed(
                raw.get("apply_b_dec_to_input", False), bool, "dictionary.apply_b_dec_to_input"
            ),
            site_out=None if site_out is None else Site.parse(site_out),
        )
