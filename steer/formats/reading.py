"""A reading under way: what is read, what was said about it, and what there is to tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from steer.errors import Violations
from steer.formats.containers.text import read_json
from steer.formats.fields import Fields
from steer.formats.options import Options
from steer.formats.refusal import ChoiceNeeded, refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

T = TypeVar("T")


@dataclass
class Reading:
    """Readers take options through it, so that one nobody took is noticed, and leave notes."""

    source: Source
    options: Options = field(default_factory=Options)
    found: Violations = field(default_factory=Violations)
    dropped: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=lambda: {"format", "model", "strength"})

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

    def choose(self, there: Mapping[str, T], what: str, choice: str | None = None) -> tuple[str, T]:
        """The one thing there is, or the one that was chosen. ``what`` they are, in the plural.

        ``choice``: a part of the option, where there is something to choose at two levels.

        Raises ChoiceNeeded where there are several, InvalidRequest where the chosen one is not.
        """
        choice = str(self.take("choice") or "") if choice is None else choice
        if not choice and len(there) == 1:
            return next(iter(there.items()))
        if not choice and there:
            raise ChoiceNeeded(what, tuple(there))
        if choice not in there:
            listed = ", ".join(list(there)[:50]) or "none"
            refuse("options.choice", "NOT_FOUND", f"is {choice!r}; {what} there are: {listed}")
        return choice, there[choice]

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
        if not 0 <= layer < 10_000:
            message = f"layer {index} of the file would be our layer {layer}, which there is not"
            self.found.add("options.index_offset", "OUT_OF_RANGE", message)
        return Site(max(layer, 0), point)

    def check_options(self) -> None:
        """Note every option that was given and that nothing made use of."""
        default = Options()
        for name in Options.__dataclass_fields__:
            if name not in self._taken and getattr(self.options, name) != getattr(default, name):
                message = "says something that this file says itself, or has no use for"
                self.found.add(f"options.{name}", "NOT_USED", message)
