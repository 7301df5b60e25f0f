"""Looking at a zip archive before anything in it is read.

npz files and what torch saves are zip archives. Only plain ones are let through: as many bytes
inside as the directory says, nowhere else in the file, and under names that stay inside.
"""

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from steer.errors import Violations
from steer.folder import path_problem
from steer.formats.refusal import refuse
from steer.formats.source import File

MOST_ENTRIES = 10_000
LARGEST_DIRECTORY = 4 << 20
MOST_INFLATED = 20
"""How many times its size a compressed entry may hold: numbers do not compress further."""
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True)
class Entry:
    """A file in an archive. ``start``: where its ``packed`` bytes begin in the archive."""

    name: str
    start: int
    packed: int
    size: int
    compressed: bool


def is_zip(file: File) -> bool:
    """Whether the file begins as archives do."""
    return file.size >= 22 and file.read(0, 4) == b"PK\x03\x04"


def read_directory(file: File, *, compressed: bool) -> Mapping[str, Entry]:
    """The entries of an archive by name.

    ``compressed``: whether entries may be. Raises InvalidRequest with everything that is wrong:
    names that are paths or there twice, entries that overlap or hold more than they should.
    """
    _check_end(file)
    try:
        # Only the directory is read here; its size is checked.
        with zipfile.ZipFile(file.handle) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as e:
        refuse(file.at, "BAD_ARCHIVE", f"is no archive that can be read: {e}"[:300])
    found = Violations()
    entries: dict[str, Entry] = {}
    end = 0
    for info in sorted(listed, key=lambda info: info.header_offset):
        at = f"{file.at}[{info.filename[:100]!r}]"
        problem = _problem(info, compressed)
        if info.filename in entries:
            problem = "is there twice"
        start = _start(file, info)
        if info.header_offset < end or start + info.compress_size > file.size:
            problem = "overlaps with another entry or the end of the archive"
        if problem:
            found.add(at, "BAD_ARCHIVE", problem)
        end = start + info.compress_size
        entries[info.filename] = Entry(
            info.filename, start, info.compress_size, info.file_size, info.compress_type != 0
        )
    found.raise_if_any()
    return entries


def _check_end(file: File) -> None:
    """The last record, without a comment: so that every reader finds the same directory."""
    record = file.read(max(0, file.size - _END.size), min(_END.size, file.size))
    if len(record) < _END.size or record[:4] != b"PK\x05\x06":
        refuse(file.at, "BAD_ARCHIVE", "does not end as an archive does")
    *_, count, size, offset, comment = _END.unpack(record)
    if count == 0xFFFF or size == 0xFFFFFFFF or offset == 0xFFFFFFFF:
        count, size = _zip64(file)
    if comment or count > MOST_ENTRIES or size > LARGEST_DIRECTORY:
        message = f"has a directory of {count} entries and {size} bytes, or a comment"
        refuse(file.at, "BAD_ARCHIVE", message)


def _zip64(file: File) -> tuple[int, int]:
    locator = file.read(max(0, file.size - 42), 20) if file.size >= 98 else b""
    if locator[:4] != b"PK\x06\x07":
        refuse(file.at, "BAD_ARCHIVE", "has no zip64 record where it says it has one")
    record = file.read(int.from_bytes(locator[8:16], "little"), 56)
    if record[:4] != b"PK\x06\x06":
        refuse(file.at, "BAD_ARCHIVE", "has no zip64 record where it says it has one")
    return int.from_bytes(record[32:40], "little"), int.from_bytes(record[40:48], "little")


def _problem(info: zipfile.ZipInfo, compressed: bool) -> str:
    allowed = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) if compressed else (zipfile.ZIP_STORED,)
    if path_problem(info.filename):
        return f"has a name that {path_problem(info.filename)}"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in allowed:
        return f"is compressed by method {info.compress_type}, which is not read"
    if info.compress_type == 0 and info.file_size != info.compress_size:
        return f"is said to hold {info.file_size} bytes in {info.compress_size}"
    if info.file_size > MOST_INFLATED * info.compress_size + 1024:
        return f"is said to hold {info.file_size} bytes in {info.compress_size}"
    return ""


def _start(file: File, info: zipfile.ZipInfo) -> int:
    if not 0 <= info.header_offset <= file.size - _LOCAL.size:
        refuse(file.at, "BAD_ARCHIVE", f"{info.filename[:100]!r} begins outside the archive")
    header = _LOCAL.unpack(file.read(info.header_offset, _LOCAL.size))
    if header[0] != b"PK\x03\x04":
        refuse(file.at, "BAD_ARCHIVE", f"{info.filename[:100]!r} does not begin as an entry does")
    return int(info.header_offset + _LOCAL.size + header[-2] + header[-1])
