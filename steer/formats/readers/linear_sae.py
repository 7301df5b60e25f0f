"""Goodfire and Qwen Scope: single files of torch, by the loaders of SAELens.

Weights are (out, in); layer, k and model are in names of files and folders.
"""

import re
from collections.abc import Mapping

from steer.formats.containers.pickled import read_pickled
from steer.formats.draft import Draft
from steer.formats.hooks import Place, said_site
from steer.formats.matrix import Tensor
from steer.formats.reading import Reading
from steer.formats.sae import Origin, Sae, Weights, sae_draft
from steer.formats.source import File, Source
from steer.store import Architecture

_GOODFIRE = {"encoder_linear.weight", "decoder_linear.weight"}
_QWEN = {"W_enc", "W_dec", "b_enc", "b_dec"}
_GOODFIRE_NAME = re.compile(r"(?P<model>[\w.-]+?)-SAE-l(?P<layer>\d{1,3})")
_QWEN_NAME = re.compile(r"SAE-Res-(?P<model>[\w.-]+?)-W(?P<width>\d+)K-L0_(?P<k>\d{1,5})")
_QWEN_FILE = re.compile(r"layer(?P<layer>\d{1,3})\.sae\.pt")


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
