"""JSON and other text, in bounded size."""

import json
from typing import Any

from steer.formats.refusal import refuse
from steer.formats.source import File
from steer.store.typed import check_characters
from steer.unique import RepeatedKeys, unique

LARGEST_TEXT = 64 << 20


def read_text(file: File, largest: int = LARGEST_TEXT) -> str:
    """A whole UTF-8 file. Raises InvalidRequest when it is too large or not UTF-8."""
    if file.size > largest:
        refuse(file.at, "TOO_LARGE", f"has {file.size} bytes, want at most {largest}")
    try:
        return file.read(0, file.size).decode()
    except UnicodeDecodeError as error:
        refuse(file.at, "NOT_TEXT", f"is not UTF-8: {error.reason} at {error.start}")


def read_json(file: File, largest: int = LARGEST_TEXT) -> dict[str, Any]:
    """A JSON object. Raises InvalidRequest for anything else, also where a key is there twice."""
    return parse_json(read_text(file, largest), file.at)


def parse_json(text: str, at: str) -> dict[str, Any]:
    """A JSON object, named ``at`` when it is refused."""
    try:
        raw = json.loads(text, object_pairs_hook=unique)
        check_characters(text, raw)
    except RepeatedKeys as error:
        refuse(at, "DUPLICATE", f"{error.keys[0][:100]!r} is there twice")
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValueError):
            refuse(at, "NOT_JSON", f"is not JSON: {error}"[:300])
        refuse(at, "NOT_JSON", "is nested too deeply")
    if not isinstance(raw, dict):
        refuse(at, "NOT_JSON", "is not a JSON object")
    return raw
