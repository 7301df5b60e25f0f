"""Dictionaries: sparse autoencoders and transcoders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from steer.errors import InvalidRequest, Violations
from steer.store.card import Card
from steer.store.checks import Array, Shape, Tensors, check_tensors
from steer.store.kinds.base import Item
from steer.store.spec import Architecture, DictionarySpec
from steer.store.tensors import parts
from steer.types import Site

_ROWS = 256

# Beside encoder, decoder and decoder_bias: tensors of shape (d_sae,) by architecture.
_OWN: Mapping[Architecture, tuple[str, ...]] = {
    Architecture.STANDARD: ("encoder_bias",),
    Architecture.TOPK: ("encoder_bias",),
    Architecture.JUMPRELU: ("encoder_bias", "threshold"),
    Architecture.GATED: ("gate_bias", "magnitude_bias", "magnitude_log_scale"),
}


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """What it takes to read and write n features; float32, nothing mapped.

    With x = h after the dictionary's normalisation and pre = x·encoder (the bias that
    ``apply_b_dec_to_input`` subtracts is folded into the biases):

        activation = (pre + gate_bias > threshold) · relu(pre·magnitude_scale + magnitude_bias)

    Moving an activation by δ moves the output by δ·decoder, times what undoes the normalisation.

    Of a top-k dictionary only the k with the largest pre + gate_bias of *all* d_sae are active,
    which the whole encoder alone can tell. The choice comes before relu, so fewer than k are
    active where fewer are positive.
    """

    indices: tuple[int, ...]
    encoder: Array
    decoder: Array
    gate_bias: Array
    magnitude_scale: Array
    magnitude_bias: Array
    threshold: Array


@dataclass(frozen=True, eq=False)
class Dictionary(Item):
    """A sparse autoencoder or transcoder. ``tensors`` by name, a row for each feature; float32.

    ``encoder`` and ``decoder``: (d_sae, d_model). ``decoder_bias``: (d_model,). ``encoder_bias``,
    ``threshold``, ``gate_bias``, ``magnitude_bias`` and ``magnitude_log_scale``: (d_sae,), as the
    architecture has them. ``skip``: (d_model, d_model), added to a transcoder's output as skip·x;
    may be missing. Large ones are mapped from the file: read rows, not the whole.
    """

    name: str
    card: Card
    tensors: Mapping[str, Array]
    content_hash: str = ""

    @property
    def spec(self) -> DictionarySpec:
        """The card's section on dictionaries."""
        assert self.card.dictionary is not None
        return self.card.dictionary

    @property
    def site(self) -> Site:
        """Where it reads."""
        return self.card.sites[0]

    @property
    def site_out(self) -> Site:
        """Where it writes: the site it reads, unless it is a transcoder."""
        return self.spec.site_out or self.site

    @classmethod
    def read(cls, name: str, card: Card, tensors: Tensors) -> Self:
        """Tensors as the class says."""
        found = Violations()
        spec = card.dictionary
        if spec is None:
            found.add("card.dictionary", "MISSING", f"a {card.kind} needs it")
        else:
            _check_spec(card, spec, found)
            shapes = _shapes(card, spec)
            nonzero, optional = ("encoder", "decoder"), ("skip",)
            check_tensors(tensors, shapes, found, nonzero=nonzero, optional=optional)
        found.raise_if_any()
        return cls(name, card, tensors.arrays, f"sha256:{card.sha256}")

    def arrays(self) -> dict[str, Array]:
        """The two matrices first."""
        first = ("encoder", "decoder")
        rest = sorted(set(self.tensors) - set(first))
        return {name: self.tensors[name] for name in (*first, *rest)}

    def norms(self) -> dict[Site, float]:
        """Mean norm of a row of the decoder."""
        decoder = self.tensors["decoder"]
        total = sum(
            float(np.linalg.norm(part.astype("f8"), axis=1).sum()) for part in parts(decoder, _ROWS)
        )
        return {self.site: float(f"{total / len(decoder):.7g}")}

    def features(self, indices: Sequence[int]) -> FeatureRows:
        """What the engine needs of a few features; reads their rows alone.

        Raises InvalidRequest naming the indices that are not 0 to d_sae - 1.
        """
        d_sae = self.spec.d_sae
        bad = [index for index in indices if not 0 <= index < d_sae]
        if bad:
            raise InvalidRequest(
                f"{self.name} has features 0 to {d_sae - 1}, not {', '.join(map(str, bad))}",
                reason="FEATURE_OUT_OF_RANGE",
            )
        chosen = np.array(indices, np.intp)
        numbers = self.numbers(chosen)
        return FeatureRows(
            indices=tuple(indices),
            encoder=np.array(self.tensors["encoder"][chosen]),
            decoder=np.array(self.tensors["decoder"][chosen]),
            gate_bias=numbers[:, 0],
            magnitude_scale=numbers[:, 1],
            magnitude_bias=numbers[:, 2],
            threshold=numbers[:, 3],
        )

    def numbers(self, chosen: slice | NDArray[np.intp]) -> Array:
        """What the formula of ``FeatureRows`` needs of some features beside their rows: gate_bias,
        magnitude_scale, magnitude_bias and threshold, (n, 4)."""
        take = {name: self.tensors[name][chosen] for name in _OWN[self.spec.architecture]}
        n = len(next(iter(take.values())))
        folded: Array = np.zeros(n, np.float32)
        if self.spec.apply_b_dec_to_input:
            folded = self.tensors["encoder"][chosen] @ self.tensors["decoder_bias"]
        if self.spec.architecture is Architecture.GATED:
            scale: Array = np.exp(take["magnitude_log_scale"])
            gate_bias: Array = take["gate_bias"] - folded
            magnitude_bias: Array = take["magnitude_bias"] - scale * folded
        else:
            scale = np.ones_like(folded)
            gate_bias = magnitude_bias = take["encoder_bias"] - folded
        threshold = take.get("threshold", np.zeros_like(folded))
        return np.stack((gate_bias, scale, magnitude_bias, threshold), 1)


def _shapes(card: Card, spec: DictionarySpec) -> dict[str, Shape]:
    wide = (spec.d_sae, card.d_model)
    own: dict[str, Shape] = {name: (spec.d_sae,) for name in _OWN[spec.architecture]}
    skip: dict[str, Shape] = {"skip": (card.d_model, card.d_model)}
    common: dict[str, Shape] = {"encoder": wide, "decoder": wide, "decoder_bias": (card.d_model,)}
    return common | own | (skip if card.kind == "transcoder" else {})


def _check_spec(card: Card, spec: DictionarySpec, found: Violations) -> None:
    at = "card.dictionary"
    if len(card.sites) != 1:
        found.add("card.sites", "WRONG_NUMBER", f"are {len(card.sites)}, want the one it reads")
    if spec.d_sae < 1:
        found.add(f"{at}.d_sae", "OUT_OF_RANGE", f"is {spec.d_sae}, want at least 1")
    topk = spec.architecture is Architecture.TOPK
    if topk and (spec.k is None or not 1 <= spec.k <= spec.d_sae):
        found.add(f"{at}.k", "OUT_OF_RANGE", f"is {spec.k}, want 1 to {spec.d_sae}")
    if not topk and spec.k is not None:
        found.add(f"{at}.k", "NOT_FOR_THIS", f"is for topk, not for {spec.architecture.value}")
    transcoder = card.kind == "transcoder"
    if transcoder and spec.site_out is None:
        found.add(f"{at}.site_out", "MISSING", "a transcoder needs it")
    if not transcoder and spec.site_out is not None:
        found.add(f"{at}.site_out", "NOT_FOR_THIS", f"is for transcoders, not for a {card.kind}")
    if transcoder and spec.apply_b_dec_to_input:
        message = "a transcoder's decoder bias is not in the space it reads"
        found.add(f"{at}.apply_b_dec_to_input", "NOT_FOR_THIS", message)
