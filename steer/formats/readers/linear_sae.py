"""Dictionaries whose weights are those of torch's linear layers: (out, in).

dictionary_learning by its ``dictionary.py`` and ``trainers/*.py``; Goodfire and Qwen Scope by the
loaders of SAELens; sparsify by its ``sparse_coder.py`` (SAELens reads its ``W_dec`` transposed).
"""

import re
from collections.abc import Mapping

from steer.formats.containers.pickled import read_pickled
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.hooks import Place, said_site
from steer.formats.matrix import Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.sae import Origin, Sae, Weights, filled, sae_draft
from steer.formats.source import File, Source
from steer.store import Architecture
from steer.types import Point, Site

_GOODFIRE = {"encoder_linear.weight", "decoder_linear.weight"}
_QWEN = {"W_enc", "W_dec", "b_enc", "b_dec"}
_GOODFIRE_NAME = re.compile(r"(?P<model>[\w.-]+?)-SAE-l(?P<layer>\d{1,3})")
_QWEN_NAME = re.compile(r"SAE-Res-(?P<model>[\w.-]+?)-W(?P<width>\d+)K-L0_(?P<k>\d{1,5})")
_QWEN_FILE = re.compile(r"layer(?P<layer>\d{1,3})\.sae\.pt")
"""Names of files and folders."""


def tensors_of(file: File) -> Mapping[str, Tensor]:
    """Tensors of a file of torch by name, without what else is in it; none when it is no dict."""
    content = read_pickled(file)
    if not isinstance(content, dict):
        return {}
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _torch_files(source: Source) -> list[File]:
    return source.ending(".pt", ".pth")


def recognise_goodfire(source: Source) -> bool:
    """One file of torch with these keys."""
    files = _torch_files(source)
    return len(files) == 1 and tensors_of(files[0]).keys() >= _GOODFIRE


def read_goodfire(reading: Reading) -> Draft:
    """ReLU, the decoder's bias not subtracted. The layer is in the file's name."""
    file = _torch_files(reading.source)[0]
    name = _GOODFIRE_NAME.search(reading.source.where(file))
    hint = Place(int(name["layer"])) if name else None
    weights = Weights(reading, tensors_of(file))
    sae = Sae(
        Architecture.STANDARD,
        said_site(reading, hint, "it is not in the name of the file"),
        weights.matrix("encoder_linear.weight"),
        weights.matrix("decoder_linear.weight").T,
        weights.vector("decoder_linear.bias"),
        {"encoder_bias": weights.vector("encoder_linear.bias")},
        apply_b_dec_to_input=False,
    )
    weights.tell_rest()
    model = f"meta-llama/{name['model']}" if name else ""
    return sae_draft(reading, sae, Origin("Goodfire", _BY_NAME, model=model, method="standard"))


def recognise_qwen(source: Source) -> bool:
    """Files that are called so, or one with these keys and no threshold."""
    files = _torch_files(source)
    if any(_QWEN_FILE.fullmatch(file.name) for file in files):
        return True
    return len(files) == 1 and tensors_of(files[0]).keys() == _QWEN


def read_qwen(reading: Reading) -> Draft:
    """Top-k, the decoder's bias not subtracted. Layer and k are in names."""
    files = {file.path.removesuffix(".sae.pt"): file for file in _torch_files(reading.source)}
    _, file = reading.choose(files, "dictionaries")
    names = reading.source.where(file)
    name, layer = _QWEN_NAME.search(names), _QWEN_FILE.search(names)
    weights = Weights(reading, tensors_of(file))
    k = reading.take("k") or (int(name["k"]) if name else None)
    if k is None:
        k = reading.need("k", "how many latents are active is in no name of a folder")
    sae = Sae(
        Architecture.TOPK,
        said_site(reading, Place(int(layer["layer"])) if layer else None, "no name has it"),
        weights.matrix("W_enc"),
        weights.matrix("W_dec").T,
        weights.vector("b_dec"),
        {"encoder_bias": weights.vector("b_enc")},
        apply_b_dec_to_input=False,
        k=int(k),
    )
    weights.tell_rest()
    model = f"Qwen/{name['model']}" if name else ""
    return sae_draft(reading, sae, Origin("Qwen Scope", _BY_NAME, model=model, method="topk"))


_BY_NAME = "the layer is that of the file's name; output of the block, as ours"


# ---- dictionary_learning ------------------------------------------------------------------------

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


def recognise_dictionary_learning(source: Source) -> bool:
    """Folders with ``ae.pt`` and ``config.json``, however deep."""
    return bool(source.folders(_AE, _CONFIG))


def read_dictionary_learning(reading: Reading) -> Draft:
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
