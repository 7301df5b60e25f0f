"""What torch saved, read by ``torch.load(weights_only=True)`` alone: nothing in it is run.

That lets through more than is needed here, such as ``bytearray(10**10)``. So what a pickle names is
looked through before.

Torch is imported when a file is read, so that the package does without.
"""

import math
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from pickletools import genops
from typing import Any

from steer.formats.containers.zips import is_zip, read_directory
from steer.formats.matrix import LARGEST_ARRAY, Array, Tensor
from steer.formats.refusal import refuse
from steer.formats.source import File

LARGEST_PICKLE = 16 << 20
_DEEPEST = 5
_MOST_PARTS = 200_000
_MOST_STEPS = 1_000_000
_NEEDED = re.compile(
    r"collections OrderedDict|torch\.storage (Unt|T)ypedStorage|torch\.nn\.parameter Parameter"
    r"|torch (\w+Storage|Size|bool|(u?int|b?float|complex)\d+(_\w+)?)"
    r"|torch\._utils _rebuild_(tensor(_v[23])?|parameter(_with_state)?)"
)
"""What tensors by name are made of, as a pickle names it."""
_NAMING = ("GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4")


def read_pickled(file: File) -> Any:
    """What was saved: dicts, lists, numbers, texts, None, and ``Tensor`` for tensors.

    Raises InvalidRequest for whatever else is in it, and for tensors larger than the file.
    """
    return file.once(_read)


def _read(file: File) -> Any:
    return _Plain(file).convert(_load(file), "", 0)


def _load(file: File) -> Any:
    if not is_zip(file):
        message = "is not what torch.save writes (since torch 1.6); load it there and save it again"
        refuse(file.at, "NOT_A_TENSOR_FILE", message)
    entries = read_directory(file, compressed=False)
    pickles = [entry for entry in entries.values() if entry.name.endswith("/data.pkl")]
    if len(pickles) != 1 or any("/code/" in name or "constants.pkl" in name for name in entries):
        refuse(file.at, "NOT_A_TENSOR_FILE", "is an archive, but not one of torch.save")
    if pickles[0].size > LARGEST_PICKLE:
        refuse(file.at, "TOO_LARGE", f"has {pickles[0].size} bytes beside its tensors")
    _check_steps(file, file.read(pickles[0].start, pickles[0].size))
    import torch

    held = isinstance(file.content, bytes)
    content: Any = BytesIO(file.content) if isinstance(file.content, bytes) else file.content
    try:
        return torch.load(content, map_location="cpu", weights_only=True, mmap=not held)
    except Exception as error:  # Whatever the reader of pickles stumbles over.
        # What comes before advises to load the file all the same.
        said = str(error).rpartition("WeightsUnpickler error: ")[2]
        first = said.strip().partition("\n")[0]
        message = f"is refused by torch.load(weights_only=True): {first or type(error).__name__}"
        refuse(file.at, "UNSAFE_PICKLE", message[:400])


def _check_steps(file: File, pickled: bytes) -> None:
    """Refuse what names anything but parts of tensors, or has too many parts. Nothing is run."""
    try:
        for count, (step, argument, _) in enumerate(genops(pickled)):
            if count > _MOST_STEPS:
                refuse(file.at, "TOO_LARGE", f"has more than {_MOST_STEPS} parts")
            named = str(argument) if step.name in ("GLOBAL", "INST") else step.name
            if step.name in _NAMING and not _NEEDED.fullmatch(named):
                message = (
                    f"holds {named.replace(' ', '.')[:100]}; tensors, numbers and texts are read"
                )
                refuse(file.at, "UNSAFE_PICKLE", message)
    except (ValueError, OverflowError) as error:
        refuse(file.at, "NOT_A_TENSOR_FILE", f"holds a pickle that can not be read: {error}"[:300])


class _Plain:
    """Turns what was loaded into plain values, and refuses what is none."""

    def __init__(self, file: File) -> None:
        import torch

        self._file, self._parts, self._torch = file, 0, torch
        self._left = file.size + LARGEST_ARRAY

    def convert(self, value: Any, name: str, depth: int) -> Any:
        self._parts += 1
        if self._parts > _MOST_PARTS or depth > _DEEPEST:
            refuse(self._file.at, "TOO_LARGE", "has too many parts, or too deep inside each other")
        if isinstance(value, self._torch.Tensor):
            return self._tensor(value, name)
        if isinstance(value, Mapping):
            if len(set(map(str, value))) < len(value):
                refuse(
                    self._file.at, "DUPLICATE", f"{name or 'it'} has a key as text and as number"
                )
            return {
                self._key(key): self.convert(part, _join(name, key), depth + 1)
                for key, part in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [self.convert(v, _join(name, i), depth + 1) for i, v in enumerate(value)]
        if value is None or isinstance(value, str | bool | int | float):
            return value
        refuse(self._file.at, "NOT_PLAIN", f"{name or 'it'} is a {type(value).__name__}")

    def _key(self, key: Any) -> str | int:
        if isinstance(key, int) or (isinstance(key, str) and key.isprintable()):
            return key
        refuse(self._file.at, "NOT_PLAIN", f"a key is {ascii(key)[:100]}, want a text or a number")

    def _tensor(self, value: Any, name: str) -> Tensor:
        at, torch = f"tensors[{name or self._file.name}]", self._torch
        if value.layout is not torch.strided or value.is_quantized or value.is_complex():
            refuse(at, "NOT_PLAIN", "is not a dense tensor of real numbers")
        shape, size = tuple(value.shape), value.element_size()
        held = value.untyped_storage().nbytes()
        # A view may repeat few values without end, and a storage may be longer than its file.
        if max(held, math.prod(shape) * size) > self._file.size:
            refuse(at, "LYING_SIZE", f"has shape {shape}, more than the file holds")
        # Many may share a storage, as one direction does that is there for every layer.
        self._left -= math.prod(shape) * size
        if self._left < 0:
            refuse(at, "TOO_LARGE", "is of a storage that too many tensors share")
        data = value.detach()

        def numbers(part: Any) -> Array:
            # A copy: what is returned must not change with the mapped file.
            array: Array = part.to(torch.float32, copy=True).contiguous().numpy()
            return array

        def read(first: int, last: int) -> Array:
            return numbers(data.reshape(-1)[first:last])

        block = (lambda rows, columns: numbers(data[rows, columns])) if len(shape) == 2 else None
        return Tensor(name or self._file.name, shape, str(value.dtype), read, block)


def _join(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)
