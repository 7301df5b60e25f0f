"""Evaluations: task × arms × samples."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from steer.critiquing import DEFAULT, CritiqueTemplates
from steer.specs.counts import UpTo
from steer.specs.task import InlineTask
from steer.types import Arm, Branching, Sampling


class Controls(StrEnum):
    """Which controls an evaluation adds by itself: none, or all that fit the task and the card."""

    NONE = "none"
    STANDARD = "standard"


class Stage(StrEnum):
    """Of a revision: the first answer, its critique, the revised answer."""

    ANSWER = "answer"
    CRITIQUE = "critique"
    REVISE = "revise"


@dataclass(frozen=True, slots=True)
class Revision:
    """Answers, critiques of them, revised answers.

    ``stages``: those under the arm's interventions and logit bias; the others are unsteered.
    ``critique_tokens``: most of a critique; 0 is as of an answer.
    """

    stages: tuple[Stage, ...] = (Stage.CRITIQUE,)
    templates: CritiqueTemplates = DEFAULT
    critique_tokens: int = 0


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """Task × arms × samples. The baseline is always there.

    ``task``: the name of a bundled task, or one of the caller's. ``sampling.max_tokens``: 0 is the
    task's own; ``sampling.seed`` is not used, ``seed`` is. ``n``: unless
    given what the split has, up to 500. ``subject``: the arm that claims are about; empty is the
    first. ``strengths``: multipliers of the subject's strengths, each an
    arm of the dose-response. ``random_seeds``: how many random directions the standard controls
    have. ``ceiling``: the arm whose accuracy the gap is measured to; empty is the task's own.
    ``measure``: compare each row with the unsteered model on the row's tokens. ``swapped_target``:
    the arm whose vector was trained on the traces of other problems; empty is what the cards say.
    ``untaught``: id of an evaluation of the same problems on a model that never saw a trace, whose
    subject was trained there in the same way. ``branching``: for the baseline and every steered
    arm, and each rule that chooses a branch, one more arm. ``revision``: one more arm of each of
    them, whose completions are revised answers.
    """

    kind: ClassVar[str] = "evaluate"
    task: str | InlineTask
    arms: tuple[Arm, ...]
    subject: str = ""
    controls: Controls = Controls.NONE
    split: str = "report"
    n: int = UpTo(500)
    samples: int = 1
    sampling: Sampling = Sampling(max_tokens=0)
    seed: int = 0
    random_seeds: int = 20
    strengths: tuple[float, ...] = ()
    ceiling: str = ""
    measure: bool = True
    allow_model_mismatch: bool = False
    swapped_target: str = ""
    untaught: str = ""
    branching: Branching | None = None
    revision: Revision | None = None
