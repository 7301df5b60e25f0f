"""How stored things are addressed: ``name``, ``name@2``, ``name@sha256:0f3a…``."""

import re
from dataclasses import dataclass

from steer.errors import InvalidRequest

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
_ADDRESS = re.compile(
    rf"(?P<name>{NAME.pattern})(@((?P<number>[1-9][0-9]{{0,8}})|sha256:(?P<hex>[0-9a-f]{{8,64}})))?"
)
# A folder holds files called like this, so nothing that lies in one may be called like this.
_OF_FILES = (".json", ".safetensors", ".gone")
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Address:
    """A name, and at most one of: the number of a version, the first digits of its hash."""

    name: str
    number: int | None = None
    hex: str | None = None


def is_name(text: str) -> bool:
    """Whether a thing can be stored under this name. A name is never used as a path unchecked."""
    fits = len(text) <= LONGEST_NAME and not text.endswith(_OF_FILES)
    return fits and NAME.fullmatch(text) is not None


def check_name(text: str) -> None:
    """Raise InvalidRequest unless ``text`` is a name."""
    if not is_name(text):
        ends = ", ".join(_OF_FILES)
        rule = f"want {NAME.pattern}, at most {LONGEST_NAME} characters, not ending in {ends}"
        raise InvalidRequest(f"not a vector name: {text!r} ({rule})", reason="BAD_NAME")


def parse_address(text: str) -> Address:
    """Read an address. Raises InvalidRequest for anything else."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not is_name(match["name"]):
        rule = f"want {NAME.pattern}, and maybe @<number> or @sha256:<8 to 64 hex digits>"
        raise InvalidRequest(f"not a vector name: {text!r} ({rule})", reason="BAD_NAME")
    return Address(match["name"], int(match["number"]) if match["number"] else None, match["hex"])
