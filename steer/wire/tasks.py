"""Tasks in specs: by name, or the caller's own."""

from typing import Any, Protocol

import steer.v1 as pb
from steer.specs import Extractor, InlineTask
from steer.wire.check import Check
from steer.wire.enums import EXTRACTOR

LONGEST_NAME = 80


class HasTask(Protocol):
    """A message with the oneof ``task``."""

    task_name: str

    @property
    def inline_task(self) -> pb.InlineTask:
        """The caller's own."""


def build_task(task: str | InlineTask | None) -> dict[str, Any]:
    """The member of the oneof ``task`` that is given; empty for none."""
    if isinstance(task, InlineTask):
        inline = pb.InlineTask(
            name=task.name,
            jsonl=task.jsonl,
            extractor=EXTRACTOR.build(task.extractor),
            pattern=task.pattern,
        )
        return {"inline_task": inline}
    return {} if task is None else {"task_name": task}


def read_task(message: HasTask, which: str | None, check: Check) -> str | InlineTask | None:
    """The task of a message, ``which`` being the member that is set; None where none is."""
    match which:
        case "task_name":
            return check.at("task_name").require(message.task_name)
        case "inline_task":
            return _read_inline(message.inline_task, check.at("inline_task"))
    return None


def require_task(message: HasTask, which: str | None, check: Check) -> str | InlineTask:
    """The task of a message that must have one."""
    task = read_task(message, which, check)
    if task is None:
        check.at("task_name").fail("REQUIRED", "is empty; give task_name or inline_task")
    return task or ""


def _read_inline(message: pb.InlineTask, check: Check) -> InlineTask:
    if len(check.at("name").require(message.name)) > LONGEST_NAME:
        given = f"has {len(message.name)} characters; give at most {LONGEST_NAME}"
        check.at("name").fail("TOO_LONG", given)
    task = InlineTask(
        name=message.name,
        jsonl=check.at("jsonl").require(message.jsonl),
        extractor=EXTRACTOR.parse(message.extractor, check.at("extractor")),
        pattern=message.pattern,
    )
    check_pattern(task.extractor, task.pattern, check)
    return task


def check_pattern(extractor: Extractor, pattern: str, check: Check) -> None:
    """A pattern is there when, and only when, the extractor needs one."""
    if extractor is Extractor.REGEX:
        check.at("pattern").require(pattern)
    elif pattern:
        given = f"is for the extractor {Extractor.REGEX.value}; leave it out, or give that one"
        check.at("pattern").fail("CONTRADICTORY", given)
