"""Files of other programs to be read, as callers say it."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypedDict

from steer.client import vector_calls
from steer.client.calls import Sending
from steer.client.checked import member
from steer.client.local_files import local_files
from steer.client.vector_calls import Imported
from steer.foreign import Options
from steer.types import Point

_OPTIONS = tuple(field.name for field in fields(Options))


class ImportOptions(TypedDict, total=False):
    """What an import can be told. What files say themselves can not be said again.

    ``dry_run``: say what was understood, store nothing. ``served``: it is for the served model,
    whose fingerprint goes on the card unless it has one; the default, unless ``model`` says for
    which one it is.
    ``description``, ``licence``: for the card. ``format``: where it could be several. ``layer``,
    ``point``: 0-based decoder block and point, for files that do not say. ``index_offset``: layer =
    the file's index + offset. ``choice``: which of several things in the files. ``kind``: as what
    to read them. ``strength``: the card's default. ``scale``: what activations were multiplied by
    before a dictionary saw them. ``k``: how many latents of a top-k dictionary are active.
    """

    dry_run: bool
    served: bool
    description: str
    licence: str
    format: str
    model: str
    layer: int
    point: str
    index_offset: int
    choice: str
    kind: str
    strength: float
    scale: float
    k: int


def importing(
    source: str | Path | Mapping[str, bytes], name: str, options: ImportOptions
) -> Sending[Imported]:
    """The call. Raises NotFound and InvalidRequest for files that can not be read here."""
    if unknown := options.keys() - ImportOptions.__annotations__.keys():
        known = ", ".join(ImportOptions.__annotations__)
        raise TypeError(f"unknown option {min(unknown)!r}; have {known}")
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    said = {key: given[key] for key in _OPTIONS if key in given}
    if "point" in said:
        said["point"] = member(Point, said["point"])
    return vector_calls.import_(
        local_files(source),
        Options(**said),
        name=name,
        label=_label(source),
        for_served_model=given.get("served", not given.get("model")),
        **{key: given[key] for key in ("dry_run", "description", "licence") if key in given},
    )


def _label(source: str | Path | Mapping[str, bytes]) -> str:
    """The last folders of a path, which may say a layer; the others are nobody's business."""
    if isinstance(source, Mapping):
        return ""
    path = Path(source).absolute()
    return "/".join((path if path.is_dir() else path.parent).parts[1:][-4:])
