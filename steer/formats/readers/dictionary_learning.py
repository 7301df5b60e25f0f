"""Folders of dictionary_learning: ``ae.pt`` and ``config.json``.

By its ``dictionary.py`` and ``trainers/*.py``. Linear layers have (out, in); batch-top-k ones are
used with their scalar threshold, top-k ones with their k though they have a threshold too. Of an
``AutoEncoder`` the library normalises the decoder when it loads it, and the latents with it.
"""

import re

from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.readers.linear_sae import tensors_of
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.sae import Origin, Sae, Weights, filled, sae_draft
from steer.formats.source import Source
from steer.store import Architecture
from steer.types import Point, Site

_AE, _CONFIG = "ae.pt", "config.json"
_SUBMODULE = re.compile(r"(?P<part>resid_post|mlp_out|attn_out|attention_out)(?:_layer)?_\d{1,4}")
_SUBMODULES = {
    "resid_post": Point.RESID_POST,
    "mlp_out": Point.MLP_OUT,
    "attn_out": Point.ATTN_OUT,
    "attention_out": Point.ATTN_OUT,
}
_CLASSES = {
    "AutoEncoder": Architecture.STANDARD,
    "AutoEncoderNew": Architecture.STANDARD,
    "GatedAutoEncoder": Architecture.GATED,
    "AutoEncoderTopK": Architecture.TOPK,
    "BatchTopKSAE": Architecture.JUMPRELU,
    "MatryoshkaBatchTopKSAE": Architecture.JUMPRELU,
    "JumpReluAutoEncoder": Architecture.JUMPRELU,
}
_SUBTRACT_NOT = ("AutoEncoderNew", "JumpReluAutoEncoder")


def recognise(source: Source) -> bool:
    """Folders with ``ae.pt`` and ``config.json``, however deep."""
    return bool(source.folders(_AE, _CONFIG))


def read(reading: Reading) -> Draft:
    """One of the folders, by the class its configuration names."""
    folder, file = reading.choose(reading.source.folders(_AE, _CONFIG), "dictionaries")
    config = reading.source.beside(file, _CONFIG)
    assert config is not None
    trainer = reading.json(config).inner("trainer")
    name = trainer.text("dict_class")
    if name not in _CLASSES:
        listed = ", ".join(_CLASSES)
        refuse(f"{trainer.at}.dict_class", "NOT_SUPPORTED", f"is {name!r}, want {listed}")
    site = _submodule(reading, trainer)
    weights = Weights(reading, tensors_of(file))
    sae = _autoencoder(reading, trainer, name, site, weights)
    _check(reading, trainer, sae, weights)
    if name == "AutoEncoder":
        reading.folded.append("the decoder's norms into the encoder, as the library does")
        sae = sae.decoder_normalized()
    weights.drop("k", "threshold", "group_sizes")
    weights.tell_rest()
    origin = Origin(
        "dictionary_learning",
        convention="layer and submodule of the configuration, as ours",
        model=trainer.text("lm_name"),
        method=name,
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _submodule(reading: Reading, trainer: Fields) -> Site:
    layer, name = trainer.need("layer", int), trainer.text("submodule_name")
    match = _SUBMODULE.fullmatch(name)
    if name and match is None:
        message = f"is {name!r}; the points are {', '.join(_SUBMODULES)}"
        trainer.refuse("submodule_name", message)
    if not name:
        reading.warnings.append("the configuration names no submodule: taken as resid_post")
    return reading.site(layer, 0, _SUBMODULES[match["part"]] if match else Point.RESID_POST)


def _autoencoder(reading: Reading, trainer: Fields, name: str, site: Site, weights: Weights) -> Sae:
    plain = "W_enc" in weights
    encoder = weights.matrix("W_enc").T if plain else weights.matrix("encoder.weight")
    decoder = weights.matrix("W_dec") if plain else weights.matrix("decoder.weight").T
    bias = "b_enc" if plain else "encoder.bias"
    out = next((n for n in ("bias", "decoder_bias", "decoder.bias") if n in weights), "b_dec")
    if name == "GatedAutoEncoder":
        own = {
            "gate_bias": weights.vector("gate_bias"),
            "magnitude_bias": weights.vector("mag_bias"),
            "magnitude_log_scale": weights.vector("r_mag"),
        }
    else:
        own = {"encoder_bias": weights.vector(bias)}
    if name == "JumpReluAutoEncoder":
        own["threshold"] = weights.vector("threshold")
    elif _CLASSES[name] is Architecture.JUMPRELU:
        value = weights.number("threshold")
        own["threshold"] = filled(reading, value, encoder.shape[0], "tensors[threshold]")
        reading.folded.append(f"threshold {value:.6g} into one for every latent")
        if value < 0:
            reading.warnings.append("its threshold was never set (below 0): every latent is ReLU")
    sae = Sae(
        _CLASSES[name],
        site,
        encoder,
        decoder,
        weights.vector(out),
        own,
        apply_b_dec_to_input=name not in _SUBTRACT_NOT,
        k=trainer.size("k") if name == "AutoEncoderTopK" else None,
    )
    reading.found.raise_if_any()
    return sae


def _check(reading: Reading, trainer: Fields, sae: Sae, weights: Weights) -> None:
    """Note where the configuration and the weights say different things."""
    for key, size in zip(("dict_size", "activation_dim"), sae.encoder.shape, strict=True):
        if key in trainer and trainer.need(key, int) != size:
            message = f"is {trainer.raw[key]}, the weights have {size}"
            reading.found.add(f"{trainer.at}.{key}", "WRONG_SHAPE", message)
    if sae.k is not None and "k" in weights and weights.number("k") != sae.k:
        message = f"is {sae.k}, the weights say {weights.number('k'):g}"
        reading.found.add(f"{trainer.at}.k", "OUT_OF_RANGE", message)
    reading.found.raise_if_any()
