"""Directions by layer, as plain tensors: safetensors, and what torch and numpy saved.

Spelling varies, the meaning does not: hotwire (``_state.py``: the row of a layer, added to what the
layer gives out; of a dict the first tensor), hidden-directions (``[n_layers, hidden]``, or
``{layer: vector}``) and most safetensors files count blocks from 0 and mean their output. Where a
name is that of a hook or module, it says the point too.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from steer.formats.containers.npz import read_npy, read_npz
from steer.formats.containers.pickled import read_pickled
from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft, directions
from steer.formats.hooks import Place, place
from steer.formats.matrix import Array, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

OUTPUT = "the index is the block whose output it belongs to, as ours"
_PLAIN = re.compile(
    r"(?:(?:direction|vector|steering_vector|control_vector|layer_activations|v)s?[._])?"
    r"(?:(?:layer|block|l)s?[._]?)?(?P<layer>\d{1,4})(?:[._](?:direction|vector|weight))?",
    re.IGNORECASE,
)
_NUMPY = (".npy", ".npz")
_TORCH = (".pt", ".pth", ".bin")
_MODEL_KEYS = ("model", "model_id", "model_name", "base_model")
_NORMS = "h_norms.json"
_HOTWIRE = "hotwire, hidden-directions or like it"


def recognise_safetensors(source: Source) -> bool:
    """Safetensors files; whoever knows more is asked before."""
    return bool(source.ending(".safetensors"))


def recognise_torch(source: Source) -> bool:
    """Files of torch, as hotwire keeps them; whoever knows more is asked before."""
    return bool(source.ending(*_TORCH))


def recognise_numpy(source: Source) -> bool:
    """Files of numpy; whoever knows more is asked before."""
    return bool(source.ending(*_NUMPY))


def read_layers_safetensors(reading: Reading) -> Draft:
    """What each tensor's name says; of a single tensor also its rows."""
    file = reading.choose_file(reading.source.ending(".safetensors"), "files")
    content = read_safetensors(file)
    model = next((content.metadata[key] for key in _MODEL_KEYS if key in content.metadata), "")
    return _draft(reading, file, dict(content.tensors), "safetensors", model[:500])


def read_layers_torch(reading: Reading) -> Draft:
    """One file of a folder (its name is the id), with the norms beside it if there are any."""
    file = reading.choose_file(reading.source.ending(*_TORCH), "vectors")
    content = read_pickled(file)
    # Alone it has no name: that of the file is its author's, whatever digits are in it.
    tensors = {"": content} if isinstance(content, Tensor) else content
    return _draft(reading, file, _tensors(file, tensors), _HOTWIRE)


def read_layers_numpy(reading: Reading) -> Draft:
    """An array, of one layer or a row each; or arrays by the names of their layers."""
    file = reading.choose_file(reading.source.ending(*_NUMPY), "files")
    alone = file.name.endswith(".npy")
    return _draft(reading, file, {"": read_npy(file)} if alone else read_npz(file), "numpy")


def _tensors(file: File, content: Any) -> dict[str, Tensor]:
    """The tensors of a dict, or of the dict inside it that has them."""
    for inner in ("directions", "layer_activations"):
        if isinstance(content, dict) and isinstance(content.get(inner), dict):
            content = content[inner]
    if not isinstance(content, dict):
        refuse(file.at, "NOT_A_VECTOR", "is neither a tensor nor a dict of tensors")
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


def _draft(
    reading: Reading, file: File, tensors: Mapping[str, Tensor], writer: str, model: str = ""
) -> Draft:
    places = {name: _place(name) for name in tensors}
    layered = {name: known for name, known in places.items() if known is not None}
    if layered:
        found = _by_name(reading, file, tensors, layered)
    else:
        _, tensor = reading.choose(tensors, f"tensors in {file.path}")
        found = _by_row(reading, tensor)
    reading.found.raise_if_any()
    if not found:
        refuse(file.at, "EMPTY", "has no direction that is not zero")
    norms, said = _norms(reading, file)
    parts, width = directions(found)
    return Draft(
        "direction",
        tuple(found),
        parts,
        width,
        writer,
        convention=OUTPUT,
        model=model or said,
        residual_norms=norms,
    )


def _place(name: str) -> Place | None:
    """Where a tensor of that name belongs; None when the name says nothing of layers."""
    match = _PLAIN.fullmatch(name)
    known = Place(int(match["layer"])) if match else place(name)
    return None if known.problem and not re.search(r"\d", name) else known


def _by_name(
    reading: Reading, file: File, tensors: Mapping[str, Tensor], layered: Mapping[str, Place]
) -> dict[Site, Array]:
    found: dict[Site, Array] = {}
    for name, tensor in tensors.items():
        known = layered.get(name)
        if known is None:
            reading.dropped.append(f"tensor {name[:100]!r}, whose name is no layer")
        elif known.problem:
            reading.found.add(tensor.at, "NO_SUCH_POINT", known.problem)
        elif [side for side in tensor.shape if side != 1] != [max(tensor.shape, default=0)]:
            reading.found.add(tensor.at, "WRONG_SHAPE", f"has shape {tensor.shape}, want one side")
        else:
            site = reading.site(known.index, 0, known.point)
            if site in found:
                reading.found.add(tensor.at, "DUPLICATE", f"is {site}, as another is")
            found[site] = tensor.array().reshape(-1)
    return found


def _by_row(reading: Reading, tensor: Tensor) -> dict[Site, Array]:
    """Rows are layers; a single direction needs to be told its layer."""
    point = Point(reading.take("point") or Point.RESID_POST)
    if len(tensor.shape) == 1:
        layer = reading.need("layer", f"tensor {tensor.name!r} is one direction without a layer")
        return {Site(int(layer), point): tensor.array()}
    if len(tensor.shape) != 2 or tensor.shape[0] > 1000:
        message = f"has shape {tensor.shape}, want (layers, width) or (width,)"
        reading.found.add(tensor.at, "WRONG_SHAPE", message)
        return {}
    rows, only = tensor.array(), reading.take("layer")
    reading.warnings.append(f"the {len(rows)} rows of {tensor.name!r} are taken as layers 0, 1, …")
    chosen = range(len(rows)) if only is None else [int(only)]
    found = {}
    for index in chosen:
        if not 0 <= index < len(rows):
            message = f"is {index}, the rows are 0 to {len(rows) - 1}"
            reading.found.add("options.layer", "OUT_OF_RANGE", message)
        elif rows[index].any():
            found[reading.site(index, 0, point)] = rows[index]
    empty = sum(not row.any() for row in rows)
    if empty:
        reading.dropped.append(f"{empty} layers whose row is all zero")
    if only is not None:
        reading.dropped.append(f"the other {len(rows) - 1} layers, because you chose {only}")
    return found


def _norms(reading: Reading, file: File) -> tuple[dict[Site, float], str]:
    """Mean norms of the residual stream that hotwire keeps beside its vectors, and the model."""
    beside = reading.source.beside(file, _NORMS)
    if beside is None:
        return {}, ""
    fields = reading.json(beside)
    inner = fields.inner("h_norms") if "h_norms" in fields else fields
    found = {}
    for key in inner.raw:
        if key.isdecimal() and len(key) < 5:
            value = inner.need(key, float)
            if np.isfinite(value) and value > 0:
                found[Site(int(key))] = value
    return found, fields.text("model")
