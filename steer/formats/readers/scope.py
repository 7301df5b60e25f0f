"""Gemma Scope, Gemma Scope 2 and Llama Scope: JumpReLU dictionaries.

Keys by the loaders of SAELens (``loading/pretrained_sae_loaders.py``). Gemma Scope has the layer in
the names of folders alone, and does not subtract the decoder's bias from the input; the attention's
dictionaries read heads side by side. Transcoders read behind a norm.
"""

import math
import re

import numpy as np

from steer.formats.containers.npz import read_npz
from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.hooks import Place, hooked_site, said_site
from steer.formats.matrix import Array, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.sae import (
    Origin,
    Sae,
    Weights,
    asked_scale,
    filled,
    known_scale,
    sae_draft,
)
from steer.formats.source import File, Source
from steer.store import Architecture
from steer.types import Point, Site

_GEMMA = "params.npz"
_GEMMA_2 = "params.safetensors"
_LLAMA = "hyperparams.json"
_LLAMA_WEIGHTS = "checkpoints/final.safetensors"
_SAELENS_WEIGHTS = "sae_weights.safetensors"
_LAYER = re.compile(r"layer_(?P<layer>\d{1,3})(?:\D|$)")
_REPOSITORY = re.compile(r"gemma-scope-(?P<size>\d+b)-(?P<tune>pt|it)-(?P<part>\w+)")
_PARTS = {"res": Point.RESID_POST, "mlp": Point.MLP_OUT}
_SUBTRACTED = "the decoder's bias is not subtracted from the input"


def recognise_gemma(source: Source) -> bool:
    """``params.npz``, however deep."""
    return bool(source.named(_GEMMA))


def read_gemma(reading: Reading) -> Draft:
    """One of the folders. Layer and place come from their names."""
    source = reading.source
    folder, file = reading.choose(source.folders(_GEMMA), "dictionaries")
    weights = Weights(reading, _renamed(reading, file))
    names = source.where(file)
    repository = _REPOSITORY.search(names)
    embedding = "/embedding/" in names
    site = said_site(reading, _gemma_place(names, repository), "it is in no name of a folder")
    sae = _jumprelu(reading, weights, site, None)
    if embedding:
        # Trained on rows of the embedding; the model multiplies those by sqrt(d).
        sae = known_scale(reading, sae, 1 / math.sqrt(sae.encoder.shape[1]), "of embeddings")
    weights.drop("scaling_factor")
    weights.tell_rest()
    model = f"google/gemma-2-{repository['size']}" if repository else ""
    if repository and repository["tune"] == "it":
        model += "-it"
    origin = Origin(
        "Gemma Scope",
        convention="the place is that of the folders' names, as ours",
        model=model,
        method="jumprelu",
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _renamed(reading: Reading, file: File) -> dict[str, Tensor]:
    """The tensors by names in small letters, which spell them in two ways."""
    found: dict[str, Tensor] = {}
    for spelt, tensor in read_npz(file).items():
        name = spelt.lower().replace("wenc", "w_enc").replace("wdec", "w_dec")
        if name in found:
            reading.found.add(tensor.at, "DUPLICATE", f"is there as {found[name].name} too")
        found[name] = tensor
    return found


def _gemma_place(names: str, repository: re.Match[str] | None) -> Place | None:
    if "/embedding/" in names:
        return Place(0, Point.RESID_PRE)
    match = _LAYER.search(names)
    if match is None:
        return None
    part = repository["part"] if repository else "res"
    if part not in _PARTS:
        where = {"att": "heads side by side", "transcoders": "what is behind a norm"}
        return Place(problem=f"Gemma Scope {part} reads {where.get(part, 'something else')}")
    return Place(int(match["layer"]), _PARTS[part])


def recognise_gemma_2(source: Source) -> bool:
    """``params.safetensors``, however deep."""
    return bool(source.named(_GEMMA_2))


def read_gemma_2(reading: Reading) -> Draft:
    """One of the folders, with its ``config.json`` if there is one."""
    source = reading.source
    folder, file = reading.choose(source.folders(_GEMMA_2), "dictionaries")
    config = source.beside(file, "config.json")
    fields = reading.json(config) if config else reading.fields({}, "config.json")
    if fields.text("architecture") not in ("", "jump_relu"):
        fields.refuse("architecture", f"is {fields.text('architecture')!r}, want jump_relu")
    site, site_out = _gemma_2_sites(reading, file, fields)
    tensors = read_safetensors(file).tensors
    if "w_dec" in tensors and len(tensors["w_dec"].shape) == 3:
        message = "writes to several layers (cross-layer), which a dictionary here can not"
        refuse("tensors[w_dec]", "NOT_SUPPORTED", message)
    weights = Weights(reading, tensors)
    sae = _jumprelu(reading, weights, site, site_out)
    weights.tell_rest()
    origin = Origin(
        "Gemma Scope 2",
        convention="the place is the module the configuration names, as ours",
        model=fields.text("model_name"),
        method="jumprelu",
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _gemma_2_sites(reading: Reading, file: File, fields: Fields) -> tuple[Site, Site | None]:
    name, out = fields.text("hf_hook_point_in"), fields.text("hf_hook_point_out")
    if name:
        site = hooked_site(reading, name, f"{fields.at}.hf_hook_point_in")
        other = hooked_site(reading, out, f"{fields.at}.hf_hook_point_out") if out else site
        return site, None if other == site else other
    names = reading.source.where(file)
    match = _LAYER.search(names)
    point = next((p for p in (Point.RESID_POST, Point.MLP_OUT) if p.value in names), None)
    hint = Place(int(match["layer"]), point) if match and point else None
    return said_site(reading, hint, "neither a config.json nor a folder's name says it"), None


def _jumprelu(reading: Reading, weights: Weights, site: Site, out: Site | None) -> Sae:
    skip = None
    if "affine_skip_connection" in weights:
        skip = weights.matrix("affine_skip_connection").T
    sae = Sae(
        Architecture.JUMPRELU,
        site,
        weights.matrix("w_enc").T,
        weights.matrix("w_dec"),
        weights.vector("b_dec"),
        {"encoder_bias": weights.vector("b_enc"), "threshold": weights.vector("threshold")},
        apply_b_dec_to_input=False,
        site_out=out,
        skip=skip,
    )
    reading.found.raise_if_any()
    return sae


def recognise_llama(source: Source) -> bool:
    """``hyperparams.json`` with its checkpoint, or a configuration of the same project beside."""
    return bool(_llama_folders(source))


def read_llama(reading: Reading) -> Draft:
    """One of the folders; the mean norm of the input is folded in.

    The scalar threshold of ``hyperparams.json`` is on the scale of the model's activations, the
    weights on that of normalised ones, so that the threshold is multiplied (as SAELens does).
    """
    folder, (config, file) = reading.choose(_llama_folders(reading.source), "dictionaries")
    fields = reading.json(config)
    width = fields.size("d_model")
    site = hooked_site(reading, fields.text("hook_point_in"), f"{fields.at}.hook_point_in")
    out = hooked_site(
        reading, fields.text("hook_point_out", "hook_point_in"), f"{fields.at}.hook_point_out"
    )
    if out != site:
        fields.refuse("hook_point_out", "is not hook_point_in: transcoders are not read")
    reading.found.raise_if_any()
    weights = Weights(reading, read_safetensors(file).tensors)
    encoder = weights.matrix("encoder.weight")
    mean = fields.inner("dataset_average_activation_norm").get("in", 0.0)
    scale = math.sqrt(width) / mean if mean > 0 else 0.0
    sae = Sae(
        Architecture.JUMPRELU,
        site,
        encoder,
        weights.matrix("decoder.weight").T,
        weights.vector("decoder.bias"),
        {
            "encoder_bias": weights.vector("encoder.bias"),
            "threshold": _llama_threshold(reading, fields, weights, encoder.shape[0], scale),
        },
        apply_b_dec_to_input=fields.get("apply_decoder_bias_to_pre_encoder", False),
    )
    d_sae = fields.get("d_sae", encoder.shape[0])
    if encoder.shape != (d_sae, width) and not reading.found:
        message = f"has shape {encoder.shape}, the configuration says {(d_sae, width)}"
        reading.found.add("tensors[encoder.weight]", "WRONG_SHAPE", message)
    reading.found.raise_if_any()
    sae = (
        known_scale(reading, sae, scale, "mean norm in the file")
        if scale
        else asked_scale(reading, sae)
    )
    weights.tell_rest()
    origin = Origin(
        "Llama Scope",
        convention="the place is the hook the file names",
        model=fields.text("model_name") or "meta-llama/Llama-3.1-8B",
        method="jumprelu",
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _llama_folders(source: Source) -> dict[str, tuple[File, File]]:
    """Configuration and weights by folder."""
    found: dict[str, tuple[File | None, File | None]] = {}
    for folder, config in source.folders(_LLAMA, _LLAMA_WEIGHTS).items():
        found[folder] = (config, source.beside(config, _LLAMA_WEIGHTS))
    for folder, weights in source.folders(_SAELENS_WEIGHTS, "config.json").items():
        if "log_jumprelu_threshold" in read_safetensors(weights).tensors:
            found[folder] = (source.beside(weights, "config.json"), weights)
    return {name: (one, two) for name, (one, two) in found.items() if one and two}


def _llama_threshold(
    reading: Reading, fields: Fields, weights: Weights, d_sae: int, scale: float
) -> Array:
    if "log_jumprelu_threshold" in weights:
        return np.exp(weights.vector("log_jumprelu_threshold"))
    value = fields.need("jump_relu_threshold", float)
    if not scale:
        fields.refuse("dataset_average_activation_norm", "has no mean norm `in` above 0")
    return filled(reading, value * scale, d_sae, f"{fields.at}.jump_relu_threshold")
