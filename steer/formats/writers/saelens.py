"""SAELens folders of version 6: ``cfg.json`` and ``sae_weights.safetensors``."""

import json
from typing import Any

from steer.errors import Violations
from steer.formats.layout import encode
from steer.formats.matrix import Array, Matrix
from steer.formats.readers.saelens import CONFIG, WEIGHTS, own_names, version_6_name
from steer.formats.writers.written import Output, Written
from steer.store import Dictionary, Item, Normalize
from steer.types import Site

_VERSION = "6.0.0"
_NORMALIZE = {
    Normalize.NONE: "none",
    Normalize.LAYER_NORM: "layer_norm",
    Normalize.CONSTANT_NORM: "constant_norm_rescale",
}


def write(item: Item) -> Written:
    """Both files. Raises InvalidRequest where SAELens has no such architecture."""
    assert isinstance(item, Dictionary)
    found = Violations()
    transcoder, skip = item.kind == "transcoder", "skip" in item.tensors
    name = version_6_name(item.spec.architecture, transcoder, skip)
    if name is None:
        message = f"SAELens has no {item.spec.architecture.value} transcoder"
        found.add("card.dictionary.architecture", "NOT_SUPPORTED", message)
    if transcoder and item.spec.normalize is not Normalize.NONE:
        message = "SAELens' transcoders do not undo it"
        found.add("card.dictionary.normalize", "NOT_SUPPORTED", message)
    found.raise_if_any()
    assert name is not None
    parts = _parts(item, name)
    size, _ = encode(parts)
    config = json.dumps(_config(item, name), indent=2) + "\n"
    return Written(
        {
            CONFIG: Output.of(config.encode()),
            WEIGHTS: Output(size, lambda: encode(parts)[1]),
        },
        ("fingerprint and licence of the card",),
    )


def _parts(item: Dictionary, name: str) -> dict[str, Array | Matrix]:
    tensors = item.tensors
    parts: dict[str, Array | Matrix] = {
        "W_enc": Matrix.of(tensors["encoder"]).T,
        "W_dec": Matrix.of(tensors["decoder"]),
        "b_dec": tensors["decoder_bias"],
        **{theirs: tensors[ours] for ours, theirs in own_names(name).items()},
    }
    return parts | ({"W_skip": Matrix.of(tensors["skip"])} if "skip" in tensors else {})


def _config(item: Dictionary, name: str) -> dict[str, Any]:
    spec, width = item.spec, item.card.d_model
    transcoder = spec.site_out is not None
    metadata = {"sae_lens_version": _VERSION, "hook_name": _hook(item.site)}
    metadata |= {"model_name": item.card.model} if item.card.model else {}
    metadata |= {"hook_name_out": _hook(item.site_out)} if transcoder else {}
    return {
        "architecture": name,
        "d_in": width,
        "d_sae": spec.d_sae,
        **({"d_out": width} if transcoder else {}),
        **({"k": spec.k} if spec.k is not None else {}),
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": spec.apply_b_dec_to_input,
        "normalize_activations": _NORMALIZE[spec.normalize],
        "reshape_activations": "none",
        "metadata": metadata,
    }


def _hook(site: Site) -> str:
    """TransformerLens' name of a site; its points are called as ours."""
    return f"blocks.{site.layer}.hook_{site.point.value}"
