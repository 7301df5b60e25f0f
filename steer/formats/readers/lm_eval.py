"""Steering files of lm-eval's ``steered`` model (``lm_eval/models/hf_steered.py``).

``.pt``: by hookpoint (or, as its docstring has it, in a list) ``steering_vector``,
``steering_coefficient``, ``action`` and ``bias``. ``add`` adds coefficient times vector; ``clamp``
sets the component of h - bias along the vector's direction to the coefficient.

``.csv``: rows that name a latent of a dictionary elsewhere, whose decoder row is the vector. It is
read from the dictionary's folder beside the csv.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steer.formats.containers.pickled import read_pickled
from steer.formats.containers.text import read_text
from steer.formats.draft import Draft, directions
from steer.formats.hooks import hooked_site
from steer.formats.matrix import Array, Tensor
from steer.formats.readers import saelens, sparsify
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.formats.understood import understand
from steer.store import Dictionary
from steer.types import Site

_COLUMNS = {"sparse_model", "feature_index", "steering_coefficient"}
_LARGEST_CSV = 1 << 20
_MOST_ROWS = 1_000
_READERS = {"sparsify": sparsify, "sae_lens": saelens}


@dataclass(frozen=True)
class _Entry:
    """What is done at one hookpoint."""

    at: str
    hookpoint: str
    vector: Array
    coefficient: float
    action: str
    bias: Array | None


def recognise_torch(source: Source) -> bool:
    """One file of torch with steering vectors."""
    files = source.ending(".pt", ".pth")
    return len(files) == len(source.files) == 1 and bool(_raw(read_pickled(files[0])))


def recognise_csv(source: Source) -> bool:
    """A csv with these columns."""
    files = source.ending(".csv")
    if len(files) != 1 or files[0].size > _LARGEST_CSV:
        return False
    header = files[0].read(0, min(4096, files[0].size)).partition(b"\n")[0]
    return {column.encode() for column in _COLUMNS} <= {name.strip() for name in header.split(b",")}


def read_torch(reading: Reading) -> Draft:
    """All hookpoints together when they add; one of those that clamp."""
    file = reading.source.ending(".pt", ".pth")[0]
    raw = _raw(read_pickled(file))
    return _draft(reading, [_entry(reading, i, name, item) for i, (name, item) in enumerate(raw)])


def read_csv(reading: Reading) -> Draft:
    """The rows' latents, from the dictionaries beside the csv."""
    file = reading.source.ending(".csv")[0]
    try:
        reader = csv.DictReader(read_text(file, _LARGEST_CSV).splitlines(), skipinitialspace=True)
        rows, columns = list(reader), set(reader.fieldnames or ())
    except csv.Error as error:
        refuse(file.at, "NOT_CSV", f"can not be read: {error}")
    if not columns >= _COLUMNS:
        message = f"has no column {', '.join(sorted(_COLUMNS - columns))}"
        refuse(file.at, "MISSING", message)
    if not rows or len(rows) > _MOST_ROWS:
        refuse(file.at, "OUT_OF_RANGE", f"has {len(rows)} rows, want 1 to {_MOST_ROWS}")
    return _draft(reading, [_latent(reading, file, n, row) for n, row in enumerate(rows)])


def _raw(content: Any) -> list[tuple[str, dict[str, Any]]]:
    """Hookpoints and what is there; nothing when this is no steering file."""
    if isinstance(content, dict):
        pairs = [(str(name), item) for name, item in content.items()]
    elif isinstance(content, list):
        pairs = [(str(i.get("hookpoint")), i) for i in content if isinstance(i, dict)]
    else:
        return []
    fits = all(isinstance(item, dict) and "steering_vector" in item for _, item in pairs)
    return pairs if fits else []


def _entry(reading: Reading, index: int, hookpoint: str, item: dict[str, Any]) -> _Entry:
    at = f"entries[{index}]"
    vector, bias = item["steering_vector"], item.get("bias")
    if not isinstance(vector, Tensor) or len(vector.shape) != 1:
        refuse(f"{at}.steering_vector", "WRONG_SHAPE", "is not a tensor with one side")
    if bias is not None and (not isinstance(bias, Tensor) or bias.shape != vector.shape):
        refuse(f"{at}.bias", "WRONG_SHAPE", f"is not a tensor of shape {vector.shape}")
    fields = reading.fields(item, at)
    return _Entry(
        at,
        hookpoint,
        vector.array(),
        fields.need("steering_coefficient", float),
        fields.get("action", "add"),
        None if bias is None else bias.array(),
    )


def _draft(reading: Reading, entries: Sequence[_Entry]) -> Draft:
    clamps = [entry for entry in entries if entry.action.startswith("clamp")]
    for entry in entries:
        if entry.action not in ("add", "clamp"):
            message = f"is {entry.action[:50]!r}, want add or clamp"
            reading.found.add(f"{entry.at}.action", "NOT_SUPPORTED", message)
        if not np.isfinite(entry.coefficient):
            reading.found.add(f"{entry.at}.steering_coefficient", "NOT_FINITE", "is no number")
    if clamps:
        _, entry = reading.choose({entry.hookpoint: entry for entry in entries}, "hookpoints")
        entries = [entry]
    found: dict[Site, Array] = {}
    for entry in entries:
        site = hooked_site(reading, entry.hookpoint, f"{entry.at}.hookpoint")
        if site in found:
            reading.found.add(f"{entry.at}.hookpoint", "DUPLICATE", f"is {site}, as another is")
        found[site] = entry.vector
    reading.found.raise_if_any()
    first = entries[0]
    if clamps and first.action == "clamp":
        return _of(found, 1.0, {"clamp": _clamp(reading, first)}, "a clamp, not an addition")
    if len({entry.coefficient for entry in entries}) == 1:
        if first.coefficient == 0:
            refuse(f"{first.at}.steering_coefficient", "ZERO_VECTOR", "is 0")
        return _of(found, first.coefficient, {}, "the default strength is the file's coefficient")
    reading.folded.append("each hookpoint's steering_coefficient, into its vector")
    scaled = {
        site: np.asarray(vector * np.float32(entry.coefficient), "f4")
        for (site, vector), entry in zip(found.items(), entries, strict=True)
    }
    return _of(scaled, 1.0, {}, "coefficients are in the values")


def _of(
    found: Mapping[Site, Array], strength: float, parameters: Mapping[str, Any], scale: str
) -> Draft:
    tensors, width = directions(found)
    return Draft(
        "direction",
        tuple(found),
        tensors,
        width,
        "lm-eval",
        convention="the place is the output of the module the file names",
        scale=scale,
        strength=strength,
        parameters=parameters,
    )


def _clamp(reading: Reading, entry: _Entry) -> float:
    """What ``project`` has to pin h·v̂ to: the coefficient is that of h - bias."""
    unit = entry.vector.astype("f8") / (np.linalg.norm(entry.vector.astype("f8")) or 1.0)
    shift = float(unit @ entry.bias) if entry.bias is not None else 0.0
    target = float(f"{entry.coefficient + shift:.9g}")
    reading.warnings.append(f"lm-eval clamps: use project with low = high = {target:g}, not add")
    return target


def _latent(reading: Reading, file: File, index: int, row: Mapping[str | None, Any]) -> _Entry:
    at = f"rows[{index}]"
    loader = str(row.get("loader") or "sparsify")
    if loader not in _READERS:
        refuse(f"{at}.loader", "NOT_SUPPORTED", f"is {loader[:50]!r}, want {' or '.join(_READERS)}")
    hookpoint, model = str(row.get("hookpoint") or ""), str(row["sparse_model"])
    folders = [model, str(row.get("sae_id") or "")] if loader == "sae_lens" else [model, hookpoint]
    inner = _dictionary(reading.source, folders)
    if inner is None:
        wanted = "/".join(folder for folder in folders if folder)
        message = f"names a latent of {wanted[:200]}, whose folder is not beside {file.name}"
        refuse(at, "DICTIONARY_NEEDED", message)
    other = Reading(inner, found=reading.found)
    item = understand(loader, other, _READERS[loader].read(other)).item
    inner.forget()
    assert isinstance(item, Dictionary)
    try:
        latent, coefficient = int(row["feature_index"]), float(row["steering_coefficient"])
    except (TypeError, ValueError):
        refuse(at, "WRONG_TYPE", "has no number as feature_index or steering_coefficient")
    chosen = item.features([latent])
    bias: Array = np.array(item.tensors["decoder_bias"])
    name = hookpoint or str(item.site)
    return _Entry(at, name, chosen.decoder[0], coefficient, str(row.get("action") or "add"), bias)


def _dictionary(source: Source, folders: Sequence[str]) -> Source | None:
    """The folder of a dictionary in the set: by its whole path, or by the end of it."""
    for start in range(len(folders)):
        inner = source.within("/".join(folders[start:]))
        if inner.files:
            return inner
    return None
