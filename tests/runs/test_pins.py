"""That what a run names is pinned: whoever adds a text to an arm decides whether it is a name."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from steer.runs import pins
from steer.types import Arm

NO_STORED_THING = {
    ("Arm", "name"),
    ("Arm", "recipes"),  # written out
    ("Expression", "text"),  # its names are
    ("Marker", "regex"),
    ("Marker", "text"),
    ("Marker", "until"),
    ("Message", "content"),
    ("Message", "role"),
    ("Prompt", "text"),
    ("Replace", "capture_id"),  # refused
    ("Replace", "source_arm"),
}


def texts(hint: Any, owner: str, field: str, seen: set[type]) -> Iterator[tuple[str, str]]:
    if hint is str:
        yield owner, field
    elif is_dataclass(hint):
        assert isinstance(hint, type)
        if hint not in seen:
            seen.add(hint)
            hints = get_type_hints(hint)
            for item in fields(hint):
                yield from texts(hints[item.name], hint.__name__, item.name, seen)
    else:
        for inner in get_args(hint):
            yield from texts(inner, owner, field, seen)


def test_every_text_of_an_arm_is_a_name_that_is_pinned_or_no_name():
    pinned = {(of.__name__, field) for of, names in pins._NAMES.items() for field in names}
    assert not pinned & NO_STORED_THING
    assert set(texts(Arm, "", "", set())) == pinned | NO_STORED_THING
