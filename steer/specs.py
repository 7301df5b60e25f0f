"""What stored runs are asked to do, as frozen dataclasses. No torch, no protobuf."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from steer.types import Arm, Sampling


class Controls(StrEnum):
    """Which controls an evaluation adds by itself: none, or all that fit the task and the card."""

    NONE = "none"
    STANDARD = "standard"


class Extractor(StrEnum):
    """How the answer is found in a completion: the whole text, the last number, the last choice
    letter, the last match of a regular expression (RE2), or the last line that is not empty."""

    EXACT = "exact"
    NUMBER = "number"
    CHOICE = "choice"
    REGEX = "regex"
    LAST_LINE = "last_line"


@dataclass(frozen=True, slots=True)
class InlineTask:
    """A task of the caller's: one JSON object a line, with ``prompt`` and ``answer``.

    ``pattern``: of the extractor ``REGEX``; its first group, or without groups the whole match.
    """

    name: str
    jsonl: str
    extractor: Extractor = Extractor.EXACT
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """Task × arms × samples. The baseline is always there.

    ``task``: the name of a bundled task, or one of the caller's. ``subject``: the arm that claims
    are about; empty is the first. ``strengths``: multipliers of the subject's strengths, each an
    arm of the dose-response. ``random_seeds``: how many random directions the standard controls
    have. ``ceiling``: the arm whose accuracy the gap is measured to; empty is the task's own.
    ``measure``: compare each row with the unsteered model on the row's tokens.
    """

    kind: ClassVar[str] = "evaluate"
    task: str | InlineTask
    arms: tuple[Arm, ...]
    subject: str = ""
    controls: Controls = Controls.NONE
    split: str = "report"
    n: int = 500
    samples: int = 1
    sampling: Sampling = Sampling()
    seed: int = 0
    random_seeds: int = 20
    strengths: tuple[float, ...] = ()
    ceiling: str = ""
    measure: bool = True
    allow_model_mismatch: bool = False


Work = EvaluateSpec
"""The specs of all kinds; each class has its kind's name."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A run: what to do, and a name for people to know it by."""

    work: Work
    name: str = ""
