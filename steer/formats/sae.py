"""Dictionaries as their writers have them, and what is folded into the weights on the way to ours.

All equations are of a latent f with encoder row e, bias b, threshold t and decoder row w.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from steer.formats.draft import Draft
from steer.formats.matrix import Array, Matrix, Tensor
from steer.formats.reading import Reading
from steer.store import Architecture, DictionarySpec, Normalize
from steer.types import Site

_SCALED_BY_DECODER = ("encoder_bias", "gate_bias", "magnitude_bias")


@dataclass(frozen=True)
class Sae:
    """A dictionary in our directions: ``encoder`` and ``decoder`` have a row for each latent.

    ``own``: what the architecture has besides, by our names, shape (d_sae,). ``site_out``: of a
    transcoder. ``skip``: (d_model, d_model), skip·x is added to its output.
    """

    architecture: Architecture
    site: Site
    encoder: Matrix
    decoder: Matrix
    decoder_bias: Array
    own: Mapping[str, Array]
    apply_b_dec_to_input: bool
    k: int | None = None
    normalize: Normalize = Normalize.NONE
    site_out: Site | None = None
    skip: Matrix | None = None

    def input_scaled(self, scale: float) -> "Sae":
        """For a dictionary of scale·x, the one of x: e·scale, w/scale, b_dec/scale."""
        return replace(
            self,
            encoder=self.encoder.times(scale),
            decoder=self.decoder.times(1 / scale),
            decoder_bias=_float(self.decoder_bias.astype("f8") / scale),
        )

    def decoder_normalized(self) -> "Sae":
        """For one whose activations are taken times ‖w‖: e·‖w‖, b·‖w‖, w/‖w‖.

        A threshold is compared with the product, so that it stays as it is.
        """
        norms = self.decoder.norms()
        safe = np.where(norms > 0, norms, 1.0)
        own = {
            name: _float(array * norms) if name in _SCALED_BY_DECODER else array
            for name, array in self.own.items()
        }
        return replace(
            self, encoder=self.encoder.times(norms), decoder=self.decoder.times(1 / safe), own=own
        )

    def signed(self) -> "Sae":
        """For one with N latents of either sign, of which the k largest in size are kept: 2N that
        are never below 0, f for the positive part of latent f and N + f for the negative one.

        Of a latent's two parts at most one is above 0, so the k largest of the 2N are the k largest
        in size of the N.
        """
        return replace(
            self,
            encoder=self.encoder.above(self.encoder.times(-1.0)),
            decoder=self.decoder.above(self.decoder.times(-1.0)),
            own={name: np.concatenate((array, -array)) for name, array in self.own.items()},
        )

    def output_scaled(self, factors: Array) -> "Sae":
        """For one whose activations are multiplied before they are decoded: w·factor."""
        return replace(self, decoder=self.decoder.times(factors))


@dataclass(frozen=True)
class Origin:
    """What is said of a dictionary beside its weights; words as in ``Draft``."""

    writer: str
    convention: str
    model: str = ""
    method: str = "sae"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scale: str = ""


def sae_draft(reading: Reading, sae: Sae, origin: Origin) -> Draft:
    """The dictionary as an item; notes sizes that do not fit ours."""
    d_sae, width = sae.encoder.shape
    out = sae.decoder.shape[1]
    if out != width:
        message = f"reads {width} and writes {out} values; only equal widths can be stored"
        reading.found.add("tensors[decoder]", "WRONG_SHAPE", message)
    parts: dict[str, Array | Matrix] = {
        "encoder": sae.encoder,
        "decoder": sae.decoder,
        "decoder_bias": sae.decoder_bias,
        **{name: sae.own[name] for name in sorted(sae.own)},
    }
    if sae.skip is not None:
        parts["skip"] = sae.skip
    return Draft(
        "sae" if sae.site_out is None else "transcoder",
        (sae.site,),
        parts,
        width,
        origin.writer,
        origin.convention,
        scale=origin.scale,
        model=origin.model,
        method=origin.method,
        parameters=origin.parameters,
        spec=DictionarySpec(
            sae.architecture,
            d_sae,
            k=sae.k,
            normalize=sae.normalize,
            apply_b_dec_to_input=sae.apply_b_dec_to_input,
            site_out=sae.site_out,
        ),
    )


def known_scale(reading: Reading, sae: Sae, scale: float, source: str) -> Sae:
    """Fold a constant by which the input was multiplied, and say so."""
    if not np.isfinite(scale) or scale <= 0:
        reading.found.add("options.scale", "OUT_OF_RANGE", f"is {scale}, want a number above 0")
        return sae
    reading.folded.append(f"the input's scale {scale:.6g} ({source}) into the weights")
    return sae.input_scaled(scale)


def asked_scale(reading: Reading, sae: Sae) -> Sae:
    """Fold the constant of ``expected_average_only_in``, which no file has."""
    why = (
        "activations were multiplied by a constant so that their mean norm is sqrt(d); no file has "
        "it, a release does (norm_scaling_factor): sqrt(d) / mean norm. 1 if it was folded already"
    )
    scale = float(reading.need("scale", why))
    if reading.options.scale is None:
        return sae
    return known_scale(reading, sae, scale, "as you said")


def filled(reading: Reading, value: float, size: int, at: str) -> Array:
    """One value for every latent; notes one that is no number."""
    if not np.isfinite(value):
        reading.found.add(at, "NOT_FINITE", "holds NaN or infinity")
    return np.full(size, value, "f4")


class Weights:
    """The tensors of a dictionary's file, each to be used once; the rest is told of."""

    def __init__(self, reading: Reading, tensors: Mapping[str, Tensor]) -> None:
        self._reading, self._tensors, self._left = reading, tensors, dict(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str) -> Tensor | None:
        """A tensor by name; one that is missing is noted."""
        tensor = self._left.pop(name, self._tensors.get(name))
        if tensor is None:
            self._reading.found.add(f"tensors[{name}]", "MISSING", "is missing")
        return tensor

    def matrix(self, name: str) -> Matrix:
        """A matrix as it lies in the file; an empty one in place of one that is noted."""
        tensor = self.take(name)
        if tensor is not None and len(tensor.shape) == 2 and 0 not in tensor.shape:
            return tensor.matrix()
        if tensor is not None:
            message = f"has shape {tensor.shape}, want a matrix"
            self._reading.found.add(tensor.at, "WRONG_SHAPE", message)
        return Matrix.of(np.zeros((1, 1), "f4"))

    def vector(self, name: str) -> Array:
        """A tensor with one side."""
        tensor = self.take(name)
        if tensor is not None and len(tensor.shape) == 1 and tensor.size:
            return tensor.array()
        if tensor is not None:
            message = f"has shape {tensor.shape}, want one side"
            self._reading.found.add(tensor.at, "WRONG_SHAPE", message)
        return np.zeros(1, "f4")

    def number(self, name: str) -> float:
        """A tensor with a single value."""
        tensor = self.take(name)
        if tensor is not None and tensor.size == 1:
            return float(tensor.array().reshape(-1)[0])
        if tensor is not None:
            self._reading.found.add(tensor.at, "WRONG_SHAPE", f"has shape {tensor.shape}, want one")
        return 0.0

    @property
    def left(self) -> Set[str]:
        """Names of the tensors nothing took."""
        return self._left.keys()

    def drop(self, *names: str) -> None:
        """Leave tensors out without a word: they say what is known otherwise."""
        for name in names:
            self._left.pop(name, None)

    def tell_rest(self) -> None:
        """Note the tensors nothing took."""
        if self._left:
            names = ", ".join(sorted(self._left))[:300]
            self._reading.dropped.append(f"tensors {names}, which inference has no use for")


def _float(array: Any) -> Array:
    return np.asarray(array, "f4")
