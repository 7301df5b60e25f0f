"""The files of a folder, by their paths in it: no links, nothing that is no file, bounded."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from steer.errors import InvalidRequest, Violations

MOST_FILES = 10_000
DEEPEST = 8
LONGEST_PATH = 1_000


def walk(root: Path, found: Violations) -> Iterator[tuple[str, Path]]:
    """Regular files below a folder by their paths in it, with ``/``; hidden ones are left out.

    Links, special files and paths that are no good are noted: what a link points at was not given.
    Raises InvalidRequest for more than ``MOST_FILES``.
    """
    waiting, count = [(root, "")], 0
    while waiting:
        folder, prefix = waiting.pop()
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = f"{prefix}{entry.name}"
            problem = path_problem(path)
            if entry.name.startswith("."):
                continue
            count += 1
            if count > MOST_FILES:
                raise InvalidRequest(f"files: more than {MOST_FILES}", reason="TOO_MANY")
            if entry.is_symlink():
                message = "is a link; copy the folder with what its links point at (cp -rL)"
                found.add(f"files[{path}]", "SYMLINK", message)
            elif problem:
                found.add(f"files[{path[:100]!r}]", "BAD_PATH", problem)
            elif entry.is_dir():
                waiting.append((Path(entry.path), f"{path}/"))
            elif entry.is_file():
                yield path, Path(entry.path)
            else:
                found.add(f"files[{path}]", "NOT_A_FILE", "is not a regular file")


def path_problem(path: str) -> str:
    """What is wrong with a path inside a set of files; empty when nothing is."""
    parts = path.split("/")
    if not path or len(path) > LONGEST_PATH or not path.isprintable():
        return f"want 1 to {LONGEST_PATH} printable characters"
    if "\\" in path or PurePosixPath(path).is_absolute() or {"", ".", ".."} & set(parts):
        return "is not a plain relative path"
    if len(parts) > DEEPEST:
        return f"is {len(parts)} folders deep, want at most {DEEPEST}"
    return ""
