"""Folders of SAELens: ``cfg.json`` and ``sae_weights.safetensors``, of versions 5 and 6.

Equations by ``sae_lens/saes/*.py``, defaults of old files by ``handle_pre_6_0_config`` of
``loading/pretrained_sae_loaders.py``. W_enc is (d_in, d_sae), W_dec (d_sae, d_in). Training
checkpoints have the same names; batch-top-k ones a scalar ``topk_threshold`` that inference turns
into a threshold for every latent, and whose activations are taken times the decoder's norms where
``rescale_acts_by_decoder_norm`` says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.hooks import hooked_site, place
from steer.formats.matrix import Array
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.sae import Origin, Sae, Weights, asked_scale, filled, sae_draft
from steer.formats.source import Source
from steer.store import Architecture, Normalize
from steer.types import Site

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"


@dataclass(frozen=True)
class _Kind:
    """How an architecture of SAELens is one of ours; ``own``: our names to its; ``signed``: its
    latents may be below 0."""

    architecture: Architecture
    own: Mapping[str, str]
    transcoder: bool = False
    batch: bool = False
    signed: bool = False


_PLAIN = {"encoder_bias": "b_enc"}
_JUMP = {"encoder_bias": "b_enc", "threshold": "threshold"}
_GATED = {"gate_bias": "b_gate", "magnitude_bias": "b_mag", "magnitude_log_scale": "r_mag"}
_BATCH = _Kind(Architecture.JUMPRELU, _PLAIN, batch=True)
_KINDS = {
    "standard": _Kind(Architecture.STANDARD, _PLAIN),
    "gated": _Kind(Architecture.GATED, _GATED),
    "jumprelu": _Kind(Architecture.JUMPRELU, _JUMP),
    "topk": _Kind(Architecture.TOPK, _PLAIN),
    "abstopk": _Kind(Architecture.TOPK, _PLAIN, signed=True),
    "batchtopk": _BATCH,
    "matryoshka_batchtopk": _BATCH,
    "transcoder": _Kind(Architecture.STANDARD, _PLAIN, transcoder=True),
    "skip_transcoder": _Kind(Architecture.STANDARD, _PLAIN, transcoder=True),
    "jumprelu_transcoder": _Kind(Architecture.JUMPRELU, _JUMP, transcoder=True),
    "jumprelu_skip_transcoder": _Kind(Architecture.JUMPRELU, _JUMP, transcoder=True),
}
_OF_LATENTS = {"b_enc", "threshold", "log_threshold", "topk_threshold", *_GATED.values()}
_REFUSED = {
    "temporal": "reads other positions by attention of its own",
    "matching_pursuit": "chooses its latents one after the other",
}
_NORMALIZE = {
    "none": Normalize.NONE,
    "expected_average_only_in": Normalize.NONE,
    "layer_norm": Normalize.LAYER_NORM,
    "constant_norm_rescale": Normalize.CONSTANT_NORM,
}
_THRESHOLD_FIXED = (6, 54, 12)


def own_names(name: str) -> Mapping[str, str]:
    """SAELens' names of what an architecture has for each latent, by ours."""
    return _KINDS[name].own


def version_6_name(architecture: Architecture, transcoder: bool, skip: bool) -> str | None:
    """What version 6 calls an architecture of ours; None when it has none."""
    fits = (
        name
        for name, kind in _KINDS.items()
        if (kind.architecture, kind.transcoder, "skip" in name) == (architecture, transcoder, skip)
    )
    return next(fits, None)


def recognise(source: Source) -> bool:
    """Folders with both files, however deep."""
    return bool(source.folders(WEIGHTS, CONFIG))


def read(reading: Reading) -> Draft:
    """One folder of those there are."""
    folder, weights_file = reading.choose(reading.source.folders(WEIGHTS, CONFIG), "dictionaries")
    config = reading.source.beside(weights_file, CONFIG)
    assert config is not None
    fields = reading.json(config)
    kind = _kind(fields)
    width, d_sae = fields.size("d_in"), fields.size("d_sae")
    normalize = _normalize(fields, kind)
    site, site_out = _sites(reading, fields, kind)
    weights = Weights(reading, read_safetensors(weights_file).tensors)
    reading.found.raise_if_any()
    sae = Sae(
        kind.architecture,
        site,
        weights.matrix("W_enc").T,
        weights.matrix("W_dec"),
        weights.vector("b_dec"),
        _own(reading, kind, weights, d_sae),
        apply_b_dec_to_input=not kind.transcoder and fields.get("apply_b_dec_to_input", True),
        k=_k(fields) if kind.architecture is Architecture.TOPK else None,
        normalize=normalize,
        site_out=site_out,
        skip=weights.matrix("W_skip") if "W_skip" in weights else None,
    )
    out = fields.get("d_out", width) if kind.transcoder else width
    _check_sizes(reading, sae, width, d_sae, out)
    sae = _folded(reading, fields, kind, weights, sae)
    if kind.signed:
        reading.folded.append(
            f"the signs of {d_sae} latents: latent {d_sae} + f is latent f where it is below 0"
        )
        sae = sae.signed()
    _check_rest(reading, fields, weights)
    weights.tell_rest()
    _warn(reading, fields)
    version = _metadata(fields).text("sae_lens_version") or "before 6"
    origin = Origin(
        f"SAELens {version}",
        convention="the place is the hook the file names",
        model=_metadata(fields).text("model_name"),
        method=fields.text("architecture") or "standard",
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _metadata(fields: Fields) -> Fields:
    """Where version 6 has what is not about weights; older files have it among the rest."""
    return fields.inner("metadata") if "metadata" in fields else fields


def _activation(fields: Fields) -> str:
    return fields.text("activation_fn_str", "activation_fn") or "relu"


def _kind(fields: Fields) -> _Kind:
    name = fields.text("architecture") or "standard"
    if "metadata" not in fields and _activation(fields) == "topk":
        name = "topk"
    elif _activation(fields) not in ("relu", "topk"):
        fields.refuse("activation_fn", f"is {_activation(fields)!r}, want relu or topk")
    if fields.text("reshape_activations") == "hook_z" or "hook_head_index" in _metadata(fields):
        fields.refuse("reshape_activations", "reads attention heads, not the residual stream")
    if name not in _KINDS:
        why = _REFUSED.get(name, f"is none of {', '.join(_KINDS)}")
        refuse(f"{fields.at}.architecture", "NOT_SUPPORTED", f"{name[:100]!r}: {why}")
    return _KINDS[name]


def _k(fields: Fields) -> int:
    if "k" in fields:
        return fields.size("k")
    kwargs = fields.inner("activation_fn_kwargs")
    return kwargs.size("k")


def _normalize(fields: Fields, kind: _Kind) -> Normalize:
    raw = fields.raw.get("normalize_activations")
    if isinstance(raw, bool):
        raw = "expected_average_only_in" if raw else "none"
    name = str(raw or "none")
    if name not in _NORMALIZE:
        why = f"is {name[:100]!r}, which needs more than a scale; want {', '.join(_NORMALIZE)}"
        fields.refuse("normalize_activations", why)
    how = _NORMALIZE.get(name, Normalize.NONE)
    if kind.transcoder and how is not Normalize.NONE:
        fields.refuse("normalize_activations", f"is {name!r}, which a transcoder does not undo")
    return how


def _scaled_input(fields: Fields) -> bool:
    return fields.raw.get("normalize_activations") in (True, "expected_average_only_in")


def _sites(reading: Reading, fields: Fields, kind: _Kind) -> tuple[Site, Site | None]:
    inner = _metadata(fields)
    name, behind = inner.text("hook_name", "hook_point"), inner.text("hf_hook_name")
    # SAELens calls the normed input of Gemma's MLP hook_mlp_in; transformers' name is right.
    if name.endswith("hook_mlp_in") and behind and place(behind).problem:
        name = behind
    site = hooked_site(reading, name, f"{inner.at}.hook_name")
    if not kind.transcoder:
        return site, None
    out = inner.text("hook_name_out")
    return site, hooked_site(reading, out, f"{inner.at}.hook_name_out")


def _own(reading: Reading, kind: _Kind, weights: Weights, d_sae: int) -> dict[str, Array]:
    """What the architecture has for each latent, by our names."""
    own = {}
    for ours, theirs in kind.own.items():
        if theirs == "threshold" and "log_threshold" in weights:
            # Training checkpoints of older versions.
            own[ours] = np.exp(weights.vector("log_threshold"))
        else:
            own[ours] = weights.vector(theirs)
    if kind.batch and "threshold" in weights:
        own["threshold"] = weights.vector("threshold")
    elif kind.batch:
        value = weights.number("topk_threshold")
        own["threshold"] = filled(reading, value, d_sae, "tensors[topk_threshold]")
        reading.folded.append(f"topk_threshold {value:.6g} into a threshold for every latent")
    return own


def _folded(reading: Reading, fields: Fields, kind: _Kind, weights: Weights, sae: Sae) -> Sae:
    """What is a constant goes into the weights. The decoder's norms first: they are the file's."""
    reading.found.raise_if_any()
    by_norm = fields.get("rescale_acts_by_decoder_norm", False)
    if by_norm and (kind.batch or kind.architecture is Architecture.TOPK):
        reading.folded.append("the decoder's norms into the encoder (rescale_acts_by_decoder_norm)")
        sae = sae.decoder_normalized()
    if "scaling_factor" in weights:
        factors = weights.vector("scaling_factor")
        if factors.shape != (sae.decoder.shape[0],):
            message = f"has shape {factors.shape}, want one for each latent"
            reading.found.add("tensors[scaling_factor]", "WRONG_SHAPE", message)
        elif not np.allclose(factors, 1.0):
            if not fields.get("finetuning_scaling_factor", False):
                fields.refuse("finetuning_scaling_factor", "is not set, but there are factors")
            reading.folded.append("scaling_factor into the decoder")
            sae = sae.output_scaled(factors)
    return asked_scale(reading, sae) if _scaled_input(fields) else sae


def _check_sizes(reading: Reading, sae: Sae, width: int, d_sae: int, out: int) -> None:
    wanted = ("W_enc", sae.encoder.T, (width, d_sae)), ("W_dec", sae.decoder, (d_sae, out))
    for name, matrix, want in wanted:
        if matrix.shape != want:
            message = f"has shape {matrix.shape}, the configuration says {want}"
            reading.found.add(f"tensors[{name}]", "WRONG_SHAPE", message)
    for ours, array in sae.own.items():
        if array.shape != (d_sae,):
            message = f"has shape {array.shape}, the configuration says ({d_sae},)"
            reading.found.add(f"tensors[{ours}]", "WRONG_SHAPE", message)


def _check_rest(reading: Reading, fields: Fields, weights: Weights) -> None:
    """What another architecture would need is not left out: one of the two files is wrong."""
    left = sorted(_OF_LATENTS & weights.left)
    if left:
        message = f"is {fields.text('architecture')!r}, which has no {', '.join(left)}"
        fields.refuse("architecture", message)
    reading.found.raise_if_any()


def _warn(reading: Reading, fields: Fields) -> None:
    """Thresholds that a known fault of SAELens may have left on the wrong scale."""
    inner = _metadata(fields)
    details = inner.inner("training_architecture_details")
    version = tuple(int(n) for n in re.findall(r"\d{1,6}", inner.text("sae_lens_version"))[:3])
    batch = "batchtopk" in inner.text("training_architecture")
    if batch and details.get("rescale_acts_by_decoder_norm", False) and version < _THRESHOLD_FIXED:
        reading.warnings.append(
            f"written by SAELens {inner.text('sae_lens_version')}: before its fix #763 thresholds "
            "were off by the input's scale where one was folded"
        )
