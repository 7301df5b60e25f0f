"""What a task is: problems with answers that a program can check, and what its controls need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from steer.types import Prompt

SELECT, REPORT = "select", "report"


@dataclass(frozen=True, slots=True)
class Item:
    """One problem.

    ``id`` is unique in its task. ``template``: what problems of one make have in common, the
    cluster for standard errors; empty where each stands for itself. ``trace``: the gold steps, the
    last of which is what the answer says; empty where the task has none.
    """

    id: str
    prompt: Prompt
    answer: str
    template: str = ""
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a formal checker says of the trace in a completion.

    ``complete``: as many steps as the gold trace. ``valid``: complete, every step right, and the
    right answer follows. ``right``: share of the gold steps that stand at their place, 0 to 1.
    ``follows``: the answer is what the last step written implies; None without step or answer.
    """

    steps: tuple[str, ...]
    complete: bool
    valid: bool
    right: float
    follows: bool | None


@dataclass(frozen=True, slots=True)
class Grade:
    """``answer``: what the text gives as answer, None when it gives none. ``trace``: None where the
    task has no traces; a completion without one has a trace of no steps."""

    answer: str | None
    correct: bool
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Cues:
    """What controls are made of; a field is empty where the task has no such thing.

    ``forced_prefix`` begins a completion of the reasoning mode, ``answer_only`` one that goes
    straight to the answer. ``bias_tokens``: text of one token → sizes (nats) of a constant logit
    bias that could bring the reasoning mode about. ``filler``: a token that says nothing, to be
    repeated to a trace's length.
    """

    forced_prefix: str = ""
    answer_only: str = ""
    bias_tokens: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    filler: str = ""


class Task(Protocol):
    """Problems in named splits, and how completions of them are graded.

    ``max_tokens``: the longest completion a right answer needs, with some room. ``choices``: size
    of the answer space, for chance; None when it is open. ``splits`` always has ``select`` and
    ``report``; a problem's content decides its split, so that no two splits share one.
    """

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def choices(self) -> int | None: ...

    @property
    def splits(self) -> tuple[str, ...]: ...

    @property
    def cues(self) -> Cues: ...

    def most(self, split: str) -> int:
        """The largest ``n`` of ``items``. Raises InvalidRequest for an unknown split."""
        ...

    def items(self, split: str, n: int, seed: int = 0) -> Sequence[Item]:
        """``n`` different problems of a split, the same for the same arguments.

        Raises InvalidRequest for an unknown split, or when it has fewer than ``n`` problems.
        """
        ...

    def retention(self) -> Sequence[Item]:
        """What the model should still be able to do, such as recall facts; may be empty."""
        ...

    def grade(self, item: Item, text: str) -> Grade:
        """Grade a completion: all of its text behind the prompt, forced prefix included."""
        ...

    def cued(self, item: Item) -> Prompt | None:
        """The problem asked so that the prompt alone calls for reasoning; None without such."""
        ...

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        """A completion that writes these steps and stops before the answer; empty where the task
        has no traces."""
        ...

    def solution(self, item: Item) -> str:
        """A right completion, without its end of sequence: the gold trace where there is one, then
        the answer."""
        ...
