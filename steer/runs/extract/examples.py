"""The texts of an extraction as token ids, and what is read of each."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from steer.errors import InvalidRequest, Violations
from steer.intervene.ports import Text
from steer.runs.extract.segments import Segments
from steer.runs.kind import Context
from steer.runs.tasks import load, task_field
from steer.specs import ExtractSpec, Passage, Pooling, ReadAt
from steer.tasks.task import Item, Task
from steer.types import Prompt

PATH = "spec.extract"
TRAIN = "train"
"""The split whose problems vectors are made from."""
SHOWN = 20
"""Texts with something wrong that are told of one by one."""

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A text of a class. ``ids``: prompt and answer; ``prompt_length``: tokens of the prompt.

    ``groups``: positions whose mean activation is one row, ascending; together what is read.
    """

    positive: bool
    index: int
    ids: tuple[int, ...]
    prompt_length: int
    groups: Groups

    @property
    def positions(self) -> tuple[int, ...]:
        """All that are read, ascending."""
        return tuple(sorted({place for group in self.groups for place in group}))

    @property
    def seen(self) -> tuple[tuple[int, ...], Groups]:
        """What its rows depend on: no token behind the last that is read."""
        return self.ids[: self.positions[-1] + 1], self.groups


@dataclass(frozen=True, slots=True)
class Examples:
    """Both classes, at least one text in each. ``task``: where they are from, if from one."""

    positive: tuple[Example, ...]
    negative: tuple[Example, ...]
    task: Task | None

    def data_hash(self) -> str:
        """Of all token ids and what is read of them, in order."""
        digest = hashlib.sha256()
        for one in (*self.positive, *self.negative):
            digest.update(repr((one.positive, one.ids, one.groups)).encode())
        return f"sha256:{digest.hexdigest()}"


def examples_of(spec: ExtractSpec, context: Context, found: Violations) -> Examples | None:
    """The examples; None where they can not be had. Notes everything wrong, by field."""
    task, pairs = None, None
    if (asked := spec.task) is not None:
        field = task_field(asked)
        task = found.tried(partial(load, asked), f"{PATH}.{field}")
        if task is not None:
            pairs = _problems(task, spec, f"{PATH}.{field}", found)
        if pairs is None:
            return None
    given = pairs or (spec.positive, spec.negative)
    reading = _Reading(spec, context, found)
    positive, negative = (
        tuple(reading.examples(passages, name == "positive", None if pairs else name))
        for name, passages in zip(("positive", "negative"), given, strict=True)
    )
    if found:
        return None
    if sorted(one.seen for one in positive) == sorted(one.seen for one in negative):
        message = "has the same tokens as the positive class up to the last that is read"
        found.add(f"{PATH}.{'n' if pairs else 'negative'}", "IDENTICAL", message)
        return None
    return Examples(positive, negative, task)


def _problems(
    task: Task, spec: ExtractSpec, path: str, found: Violations
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]] | None:
    items = found.tried(partial(task.items, TRAIN, spec.n, spec.seed), f"{PATH}.n")
    if items is None:
        return None
    cued = [(item, prompt) for item in items if (prompt := task.cued(item)) is not None]
    if len(cued) < len(items):
        message = f"task {task.name} has no prompts that call for reasoning by themselves"
        found.add(path, "NO_CUE", message)
        return None
    return tuple(Passage(prompt) for _, prompt in cued), tuple(_plain(item) for item, _ in cued)


def _plain(item: Item) -> Passage:
    return Passage(item.prompt)


@dataclass
class _Reading:
    """Turns passages into examples. ``told``: how many faults have been told of."""

    spec: ExtractSpec
    context: Context
    found: Violations
    told: int = 0

    def examples(
        self, passages: Sequence[Passage], positive: bool, name: str | None
    ) -> Iterator[Example]:
        """Those without a fault. ``name``: the field they are from; None: a task's."""
        for index, passage in enumerate(passages):
            if self.told >= SHOWN:
                message = (
                    f"the first {SHOWN} texts with something wrong are told of; there are more"
                )
                self.found.add(PATH, "TOO_MANY_ERRORS", message)
                return
            path = f"{PATH}.n" if name is None else f"{PATH}.{name}[{index}]"
            try:
                yield self._example(passage, positive, index, path)
            except _Faulty as fault:
                self._note(fault.field, fault.reason, str(fault))
            except InvalidRequest as error:
                for violation in error.violations:
                    self._note(violation.field, violation.reason, violation.message)

    def _note(self, field: str, reason: str, message: str) -> None:
        self.told += 1
        self.found.add(field, reason, message)

    def _example(self, passage: Passage, positive: bool, index: int, path: str) -> Example:
        text, longest = self.context.planner.text, self.context.model.context_length
        prompt = text.encode(passage.prompt, f"{path}.prompt")
        answer: tuple[int, ...] = ()
        if passage.answer:
            answer = text.encode_bare(Prompt(passage.answer), f"{path}.answer")
        ids = (*prompt, *answer)
        if len(ids) >= longest:
            message = f"has {len(ids)} tokens; the model's context is {longest}"
            raise _Faulty(path, "TOO_LONG", message)
        read = self._read(passage, ids, len(prompt), path)
        return Example(positive, index, ids, len(prompt), self._grouped(ids, read))

    def _read(
        self, passage: Passage, ids: tuple[int, ...], length: int, path: str
    ) -> tuple[int, ...]:
        """Positions that are read, ascending."""
        special = self.context.planner.text.special
        asked = self._asked(passage, ids, length, path)
        if not asked:
            raise _Faulty(path, "NOTHING_TO_READ", _EMPTY[self.spec.read_at])
        # Templates may end in a mark; it is the model's own place to begin to answer from.
        kept = asked if self.spec.read_at is ReadAt.LAST_PROMPT else ()
        kept = tuple(place for place in asked if ids[place] not in special) or kept
        if not kept or all(token in special for token in ids[: kept[-1] + 1]):
            message = f"{self.spec.read_at.value} hits only special tokens"
            raise _Faulty(path, "ONLY_SPECIAL_TOKENS", message)
        return kept

    def _asked(
        self, passage: Passage, ids: tuple[int, ...], length: int, path: str
    ) -> tuple[int, ...]:
        match self.spec.read_at:
            case ReadAt.LAST_PROMPT:
                return (length - 1,)
            case ReadAt.PROMPT:
                return tuple(range(length))
            case ReadAt.ANSWER:
                return tuple(range(length, len(ids)))
            case ReadAt.ALL:
                return tuple(range(len(ids)))
            case ReadAt.SPANS:
                return _spanned(passage.spans, len(ids), path)
            case ReadAt.EVENT:
                events = _segments(ids, self.context.planner.text).events(self.spec.event)
                before = (place + self.spec.offset for place in events)
                return tuple(place for place in before if place >= 0)

    def _grouped(self, ids: tuple[int, ...], read: tuple[int, ...]) -> Groups:
        match self.spec.pooling:
            case Pooling.MEAN:
                return (read,)
            case Pooling.TOKEN:
                return tuple((place,) for place in read)
            case Pooling.SENTENCE:
                return tuple(_segments(ids, self.context.planner.text).sentences(read))


_EMPTY = {
    ReadAt.LAST_PROMPT: "has an empty prompt",
    ReadAt.PROMPT: "has an empty prompt",
    ReadAt.ANSWER: "has no answer to read",
    ReadAt.ALL: "is empty",
    ReadAt.SPANS: "has no spans to read",
    ReadAt.EVENT: "does not hold the event, or not so many tokens before it",
}


class _Faulty(Exception):
    """A text that can not be read as it is asked for; ``field``, ``reason`` and why."""

    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field, self.reason = field, reason


def _spanned(spans: Sequence[tuple[int, int]], length: int, path: str) -> tuple[int, ...]:
    for index, (begin, end) in enumerate(spans):
        if end > length:
            message = f"is {begin} to {end}; the text has {length} tokens"
            raise _Faulty(f"{path}.spans[{index}]", "SPAN_OUTSIDE", message)
    return tuple(sorted({place for begin, end in spans for place in range(begin, end)}))


def _segments(ids: tuple[int, ...], text: Text) -> Segments:
    return Segments(ids, text.stream((), special=True))
