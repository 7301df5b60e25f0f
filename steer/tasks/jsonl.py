"""A task of the user's own: a file of JSON lines.

Each line is an object with ``id``, exactly one of ``prompt`` (a text) and ``messages`` (a list of
objects with ``role`` and ``content``), ``answer``, and perhaps ``template`` (what problems of one
make have in common) and ``trace`` (a list of gold steps). Empty lines are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steer.errors import InvalidRequest, NotFound, Violations
from steer.tasks.extract import Extractor, extractor
from steer.tasks.pool import Pool, Pooled, content
from steer.tasks.task import Cues, Grade, Item
from steer.types import Message, Prompt
from steer.unique import RepeatedKeys, unique

FIELDS = {"id", "prompt", "messages", "answer", "template", "trace"}
FEWEST = 5
"""Items that each split needs at least: one that says anything needs far more."""

_SHOWN = 50


@dataclass(frozen=True)
class FileTask(Pooled):
    """Items of a file, graded by their answer alone: what steps a text writes is not known."""

    name: str
    description: str
    pool: Pool
    extractor: Extractor
    max_tokens: int
    choices: int | None
    cues: Cues = field(default_factory=Cues)

    def grade(self, item: Item, text: str) -> Grade:
        answer, gold = self.extractor.read(text), self.extractor.gold(item.answer)
        correct = answer is not None and gold is not None and self.extractor.same(answer, gold)
        return Grade(answer, correct)

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        """The steps, one on a line: what a gold trace of the file is."""
        return "".join(f"{step}\n" for step in steps) if item.trace else ""

    def solution(self, item: Item) -> str:
        """The steps, one on a line, and the answer on the last."""
        return self.traced(item, item.trace) + item.answer


def load_jsonl(
    path: str | Path, *, how: str = "exact", pattern: str = "", max_tokens: int = 256
) -> FileTask:
    """Read a task from a file, named after it.

    how, pattern: of ``steer.tasks.extract.extractor``. max_tokens: longest completion, 1 or more.
    Raises NotFound when there is no such file, InvalidRequest with everything that is wrong in it.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path.name} is not UTF-8 text: {error}") from None
    except OSError as error:
        raise NotFound(f"no task file {path}: {error}", reason="TASK_NOT_FOUND") from None
    return parse_jsonl(text, path.stem, how=how, pattern=pattern, max_tokens=max_tokens)


def parse_jsonl(
    text: str, name: str, *, how: str = "exact", pattern: str = "", max_tokens: int = 256
) -> FileTask:
    """As ``load_jsonl``, of a text. Fields of violations are ``line[N]``, counted from 1."""
    found, reads = Violations(), extractor(how, pattern)
    if max_tokens < 1:
        found.add("max_tokens", "OUT_OF_RANGE", f"is {max_tokens}, want 1 or more")
    items = list(_items(text, reads, how, found))
    pool = Pool.of(name, items)
    if not found:
        for split, held in pool.splits.items():
            if len(held) < FEWEST:
                message = f"{len(held)} of {len(items)} items fall to it; want {FEWEST} or more"
                found.add(f"split[{split}]", "TOO_FEW_ITEMS", message)
    found.raise_if_any()
    said = {reads.gold(item.answer) for item in items}
    choices = len(said) if how == "choice" else None
    return FileTask(name, f"{len(items)} problems of a file", pool, reads, max_tokens, choices)


def _items(text: str, reads: Extractor, how: str, found: Violations) -> Iterator[Item]:
    seen, faulty = dict[str, int](), 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        faults = list[tuple[str, str, str]]()
        item = _item(line, faults)
        if item is not None:
            faults += _conflicts(item, number, seen)
            if not faults and reads.gold(item.answer) is None:
                message = f"the extractor {how} can never give {item.answer!r}"
                faults.append(("answer", "NEVER_MATCHES", message))
        for field_, reason, message in faults:
            found.add(f"line[{number}].{field_}", reason, message)
        if item is not None and not faults:
            yield item
        if (faulty := faulty + bool(faults)) >= _SHOWN:
            found.add("file", "TOO_MANY_ERRORS", f"reading stopped at line {number}")
            return


def _item(line: str, faults: list[tuple[str, str, str]]) -> Item | None:
    try:
        raw = json.loads(line, object_pairs_hook=unique, parse_constant=_refused)
    except RepeatedKeys as error:
        twice = ", ".join(map(ascii, error.keys))
        faults.append(("json", "NOT_JSON", f"more than once in an object: {twice}"))
        return None
    except (ValueError, RecursionError) as error:
        faults.append(("json", "NOT_JSON", str(error)))
        return None
    if not isinstance(raw, dict):
        faults.append(("json", "NOT_AN_OBJECT", f"is {type(raw).__name__}"))
        return None
    faults += [
        (
            key if _is_text(key) else ascii(key),
            "UNKNOWN_FIELD",
            f"there are {', '.join(sorted(FIELDS))}",
        )
        for key in sorted(raw.keys() - FIELDS)
    ]
    made = Item(
        id=_text(raw, "id", faults),
        prompt=_prompt(raw, faults),
        answer=_text(raw, "answer", faults),
        template=_text(raw, "template", faults) if "template" in raw else "",
        trace=_trace(raw.get("trace", []), faults),
    )
    return None if faults else made


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_text(value: object) -> bool:
    """Whether this is text that can be written as UTF-8: half a surrogate pair can not."""
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def _text(raw: Mapping[str, Any], key: str, faults: list[tuple[str, str, str]]) -> str:
    value = raw.get(key)
    # Numbers are common as ids and answers; what they are as text is what the file shows.
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = json.dumps(value)
    if isinstance(value, str) and value.strip() and _is_text(value):
        return value
    reason = "MISSING" if value is None else "NOT_TEXT"
    faults.append((key, reason, "is missing" if value is None else f"is {value!r}, want a text"))
    return ""


def _prompt(raw: Mapping[str, Any], faults: list[tuple[str, str, str]]) -> Prompt:
    if ("prompt" in raw) == ("messages" in raw):
        faults.append(("prompt", "MISSING", "give exactly one of prompt and messages"))
        return Prompt()
    if "prompt" in raw:
        return Prompt(text=_text(raw, "prompt", faults))
    said = raw["messages"]
    if not isinstance(said, list) or not said or not all(map(_is_message, said)):
        faults.append(("messages", "NOT_MESSAGES", "want a list of {role, content}, both texts"))
        return Prompt()
    return Prompt(messages=tuple(Message(one["role"], one["content"]) for one in said))


def _is_message(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"role", "content"}
        and all(map(_is_text, value.values()))
    )


def _trace(value: object, faults: list[tuple[str, str, str]]) -> tuple[str, ...]:
    if isinstance(value, list) and all(map(_is_text, value)):
        return tuple(value)
    faults.append(("trace", "NOT_STEPS", "want a list of texts"))
    return ()


def _conflicts(item: Item, number: int, seen: dict[str, int]) -> Iterable[tuple[str, str, str]]:
    """What was there before; ids and prompts are kept apart by their first character."""
    keys = {"id": f"i{item.id}", "prompt": f"p{content(item)}"}
    for key, value in keys.items():
        if (earlier := seen.setdefault(value, number)) != number:
            yield key, f"DUPLICATE_{key.upper()}", f"is that of line {earlier}"
