"""Folders of pyreft and pyvene: one ``intkey_layer_<L>_comp_<component>_….bin`` for each place.

Names by pyvene ``models/intervenable_base.py`` (``save``), keys by pyreft ``interventions.py``:

* LoReFT: ``weight`` W (r, d), ``bias`` b (r,), ``rotate_layer`` Rᵀ (d, r): h + Rᵀ(W h + b - R h)
* NoReFT: ``learned_source`` W₁, b and ``proj_layer`` W₂, b₂: h + W₂ᵀ(W₁ h + b - W₂ h - b₂)
* a single tensor (d,): added

Other interventions have the very same keys (NodiReFT those of NoReFT), so that the classes which
``config.json`` names are believed before the keys.
"""

import re
from collections.abc import Mapping

import numpy as np

from steer.formats.containers.pickled import read_pickled
from steer.formats.draft import Draft, directions
from steer.formats.hooks import place
from steer.formats.matrix import Array, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

_FILE = re.compile(
    r"intkey_layer_?\.?(?P<layer>\d{1,4})[._]comp[._](?P<component>.+?)[._]unit[._].*\.bin"
)
_COMPONENTS: Mapping[str, Point] = {
    "block_output": Point.RESID_POST,
    "block_input": Point.RESID_PRE,
    "attention_output": Point.ATTN_OUT,
    "mlp_output": Point.MLP_OUT,
}
_LOREFT = {"weight", "bias", "rotate_layer"}
_NOREFT = {"learned_source.weight", "learned_source.bias", "proj_layer.weight"}
_OF_PYVENE = {"embed_dim", "interchange_dim"}
_CONFIG = "config.json"
_CLASS = re.compile(r"<class '(?:pyreft|pyvene)\.(?:\w+\.)*(?P<name>\w+)'>")
_READ = ("LoreftIntervention", "NoreftIntervention", "AdditionIntervention")
_PARTS = ("rotation", "weight", "bias")
Parts = tuple[Array, Array, Array]


def recognise(source: Source) -> bool:
    """Files that are called so."""
    return any(file.name.startswith("intkey_") for file in source.ending(".bin"))


def read(reading: Reading) -> Draft:
    """All places together: low-rank edits, or directions."""
    files = [file for file in reading.source.ending(".bin") if file.name.startswith("intkey_")]
    _check_classes(reading, files[0])
    states = {file: _state(file) for file in files}
    biases = {file: tensor for file, state in states.items() if (tensor := _bias(state))}
    if biases and len(biases) < len(files):
        refuse("files", "NOT_SUPPORTED", "are low-rank edits and biases mixed")
    sites = {file: _site(reading, file) for file in files}
    if len(set(sites.values())) < len(sites):
        reading.found.add("files", "DUPLICATE", "several belong to the same place")
    if biases:
        reading.found.raise_if_any()
        parts, width = directions({sites[f]: t.array().reshape(-1) for f, t in biases.items()})
        return _draft("direction", tuple(sites.values()), parts, width, "pyvene", "bias")
    found = {sites[file]: _low_rank(file, state) for file, state in states.items()}
    method = "noreft" if any(s.keys() >= _NOREFT for s in states.values()) else "loreft"
    arrays = {
        f"{part}.{site}": array
        for site, three in found.items()
        for part, array in zip(_PARTS, three, strict=True)
    }
    reading.warnings.append("an activation function other than none is not in the files")
    reading.warnings.append("at which tokens they act is not in the files: pyreft trains positions")
    width = next(iter(found.values()))[0].shape[-1]
    return _draft("low_rank", tuple(sites.values()), arrays, width, "pyreft", method)


def _check_classes(reading: Reading, file: File) -> None:
    """Refuse what the libraries' own classes do otherwise; a class of somebody else has no name
    that would tell."""
    config = reading.source.beside(file, _CONFIG)
    types = reading.json(config).get("intervention_types", []) if config else []
    names = {match["name"] for one in types if (match := _CLASS.fullmatch(str(one)))}
    if names.difference(_READ):
        message = f"are {', '.join(sorted(names))[:300]}; want {', '.join(_READ)}"
        refuse(f"{_CONFIG}.intervention_types", "NOT_SUPPORTED", message)


def _draft(
    kind: str, sites: tuple[Site, ...], parts: Mapping[str, Array], width: int, by: str, method: str
) -> Draft:
    convention = "L is the block, the component the point, as ours"
    return Draft(kind, sites, parts, width, by, convention, method=method)


def _state(file: File) -> Mapping[str, Tensor]:
    content = read_pickled(file)
    if isinstance(content, Tensor):
        return {"": content}
    if not isinstance(content, dict) or not all(isinstance(v, Tensor) for v in content.values()):
        refuse(file.at, "NOT_A_STATE", "is not tensors by name")
    return {str(key): value for key, value in content.items() if key not in _OF_PYVENE}


def _bias(state: Mapping[str, Tensor]) -> Tensor | None:
    tensors = list(state.values())
    flat = len(tensors) == 1 and tensors[0].size == max(tensors[0].shape, default=0)
    return tensors[0] if flat else None


def _site(reading: Reading, file: File) -> Site:
    match = _FILE.fullmatch(file.name)
    component = match["component"] if match else ""
    known = place(component)
    point = _COMPONENTS.get(component, None if known.problem else known.point)
    if match is None or point is None:
        names = ", ".join(_COMPONENTS)
        reading.found.add(file.at, "NO_SUCH_POINT", f"does not name a layer and one of {names}")
        return Site(0)
    return reading.site(int(match["layer"]), 0, point)


def _low_rank(file: File, state: Mapping[str, Tensor]) -> Parts:
    if state.keys() == _LOREFT:
        rotation, weight, bias = (state[k].array() for k in ("rotate_layer", "weight", "bias"))
        if rotation.ndim == 2:
            rotation = np.ascontiguousarray(rotation.T)
    elif state.keys() in (_NOREFT, _NOREFT | {"proj_layer.bias"}):
        rotation = state["proj_layer.weight"].array()
        weight = state["learned_source.weight"].array()
        bias = state["learned_source.bias"].array()
        if "proj_layer.bias" in state:
            bias = _minus(file, bias, state["proj_layer.bias"].array())
    else:
        keys = ", ".join(sorted(state))[:200]
        refuse(file.at, "NOT_SUPPORTED", f"has {keys}; want LoReFT, NoReFT or a single bias")
    return rotation, weight, bias


def _minus(file: File, left: Array, right: Array) -> Array:
    if left.shape != right.shape:
        refuse(file.at, "WRONG_SHAPE", f"has biases of {left.shape} and {right.shape}")
    return left - right
