"""A reading under way: what is read, what was said about it, and what there is to tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from steer.errors import Violations
from steer.foreign import Options
from steer.formats.containers.text import read_json
from steer.formats.fields import Fields
from steer.formats.refusal import ChoiceNeeded, refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

T = TypeVar("T")

MOST_LAYERS = 10_000


@dataclass
class Reading:
    """Readers take options through it, so that one nobody took is noticed, and leave notes."""

    source: Source
    options: Options = field(default_factory=Options)
    found: Violations = field(default_factory=Violations)
    dropped: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=lambda: {"format", "model", "strength", "choice"})
    _chosen: str = ""

    @property
    def _choice(self) -> str:
        return str(self.options.choice)

    @property
    def _left(self) -> str:
        return self._choice[len(self._chosen) :]

    def take(self, name: str) -> Any:
        """The value of an option; None when it was not given."""
        self._taken.add(name)
        value = getattr(self.options, name)
        return None if value == "" else value

    def need(self, name: str, why: str) -> Any:
        """The value of an option that has to be given; 0 in place of a missing one, which is noted.

        ``why``: what the file does not say.
        """
        value = self.take(name)
        if value is None:
            self.found.add(f"options.{name}", "MISSING", f"is needed: {why}")
            return 0
        return value

    def choose(self, there: Mapping[str, T], what: str) -> tuple[str, T]:
        """The one thing there is, or the one that was chosen. ``what`` they are, in the plural.

        Where there is something to choose inside what was chosen, the choice is ``outer:inner``.

        Raises ChoiceNeeded where there are several, InvalidRequest where the chosen one is not.
        """
        left = self._left
        fitting = [name for name in there if left == name or left.startswith(f"{name}:")]
        if fitting:
            name = max(fitting, key=len)
            self._chosen = self._choice[: len(self._chosen) + len(name) + 1]
        elif len(there) == 1:
            name = next(iter(there))
        elif left or not there:
            listed = ", ".join(list(there)[:50]) or "none"
            refuse("options.choice", "NOT_FOUND", f"is {left!r}; {what} there are: {listed}")
        else:
            outer = f"{self._chosen.removesuffix(':')}:" if self._chosen else ""
            raise ChoiceNeeded(what, tuple(f"{outer}{name}" for name in there))
        return name, there[name]

    def choose_file(self, files: Sequence[File], what: str) -> File:
        """One of several files, by its path without what is behind the last dot."""
        short = {file.path.rpartition(".")[0] or file.path: file for file in files}
        named = short if len(short) == len(files) else {file.path: file for file in files}
        return self.choose(named, what)[1]

    def rest_of_choice(self) -> str:
        """What nothing was called after yet, for a format that makes something else of it."""
        rest, self._chosen = self._left, self._choice
        return rest

    def json(self, file: File) -> Fields:
        """The fields of a JSON file."""
        return Fields(read_json(file), file.path, self.found)

    def fields(self, raw: Mapping[str, Any], at: str) -> Fields:
        """Fields of something else."""
        return Fields(raw, at, self.found)

    def layer(self, index: int, shift: int = 0) -> int:
        """Our layer for a format's index: ``shift`` is what the format adds to it."""
        offset = self.take("index_offset")
        return index + (shift if offset is None else int(offset))

    def site(self, index: int, shift: int = 0, point: Point = Point.RESID_POST) -> Site:
        """Our site for a format's index. What leaves block -1 is what enters block 0."""
        layer = self.layer(index, shift)
        if layer == -1 and point is Point.RESID_POST:
            return Site(0, Point.RESID_PRE)
        if not 0 <= layer < MOST_LAYERS:
            message = f"layer {index} of the file would be our layer {layer}, which there is not"
            self.found.add("options.index_offset", "OUT_OF_RANGE", message)
        return Site(max(layer, 0), point)

    def check_options(self) -> None:
        """Note options that nothing made use of, and numbers that can not be."""
        default, layer, strength = Options(), self.options.layer, self.options.strength
        if layer is not None and not 0 <= layer < MOST_LAYERS:
            self.found.add("options.layer", "OUT_OF_RANGE", f"is {layer}, want 0 or more")
        if strength is not None and not math.isfinite(strength):
            self.found.add("options.strength", "NOT_FINITE", f"is {strength}")
        for name in Options.__dataclass_fields__:
            if name not in self._taken and getattr(self.options, name) != getattr(default, name):
                message = "says something that this file says itself, or has no use for"
                self.found.add(f"options.{name}", "NOT_USED", message)
        if len(self._chosen) < len(self._choice):
            message = f"is {self._choice!r}, but there is nothing to choose by {self._left!r}"
            self.found.add("options.choice", "NOT_USED", message)
