"""Writing items as files of others; one row of ``WRITERS`` for each format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steer.formats.refusal import refuse
from steer.formats.writers import gguf, saelens, safetensors
from steer.formats.writers.written import Output, Written
from steer.store import Item


@dataclass(frozen=True, slots=True)
class Writer:
    """What a format is called, the kinds of items it can hold, and how it is written."""

    description: str
    kinds: tuple[str, ...]
    write: Callable[[Item], Written]


WRITERS: Mapping[str, Writer] = {
    "gguf": Writer("GGUF control vector for llama.cpp", ("direction",), gguf.write),
    "safetensors": Writer(
        "our safetensors, with the card",
        ("direction", "low_rank", "probe", "sae", "transcoder"),
        safetensors.write,
    ),
    "saelens": Writer("SAELens v6 folder", ("sae", "transcoder"), saelens.write),
}


def write(item: Item, format: str) -> Written:
    """The files of an item in a format, and what could not go along.

    Raises InvalidRequest when there is no such format, or it can not hold this item.
    """
    row = WRITERS.get(format)
    if row is None:
        refuse("format", "NOT_FOUND", f"is {format!r}, want one of {', '.join(WRITERS)}")
    if item.kind not in row.kinds:
        able = ", ".join(name for name, other in WRITERS.items() if item.kind in other.kinds)
        message = f"{format} holds {', '.join(row.kinds)}, not a {item.kind}; {able} can"
        refuse("format", "NOT_SUPPORTED", message)
    return row.write(item)


__all__ = ["WRITERS", "Output", "Writer", "Written", "write"]
