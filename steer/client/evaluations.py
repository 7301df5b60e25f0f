"""Specs of evaluations, made from what a caller gives."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from steer import wire
from steer.client.arms import Treatment
from steer.client.checked import check, member
from steer.client.options import check_names
from steer.client.requests import SamplingOptions, arms_of, branching_of, sampling_of
from steer.errors import InvalidRequest
from steer.specs import Controls, EvaluateSpec, Extractor, InlineTask, Revision, RunSpec
from steer.types import Branching


class EvaluateOptions(SamplingOptions, total=False):
    """Everything an evaluation can be told; see ``steer.EvaluateSpec``.

    ``arms``: recipes by the name of their arm. ``controls``: ``none`` (default) or ``standard``.
    ``branches``: how many first tokens to branch over, or a ``steer.Branching``. ``revision``: have
    answers criticised and revised, as a ``steer.Revision`` says. ``max_tokens`` is the task's own
    unless given.
    """

    arms: Mapping[str, Treatment]
    subject: str
    controls: str
    split: str
    n: int
    samples: int
    seed: int
    random_seeds: int
    strengths: Iterable[float]
    ceiling: str
    swapped_target: str
    untaught: str
    measure: bool
    allow_model_mismatch: bool
    branches: int | Branching | None
    revision: Revision | None


_OWN = (
    "subject split n samples seed random_seeds ceiling measure allow_model_mismatch swapped_target "
    "untaught"
).split()


def make_evaluation(
    task: str | InlineTask,
    intervention: Treatment | None = None,
    *,
    arms: Mapping[str, Treatment] | None = None,
    controls: str = Controls.NONE,
    strengths: Iterable[float] = (),
    branches: int | Branching | None = None,
    revision: Revision | None = None,
    **options: Any,
) -> EvaluateSpec:
    """The spec of an evaluation. A single intervention is the arm ``steered``.

    Raises InvalidRequest for what can not be valid anywhere.
    """
    check_names(options, EvaluateOptions)
    own = {name: options.pop(name) for name in _OWN if name in options}
    spec = EvaluateSpec(
        task=task,
        arms=arms_of(intervention, arms),
        controls=member(Controls, controls),
        strengths=tuple(strengths),
        branching=branching_of(branches),
        revision=revision,
        sampling=sampling_of(**{"max_tokens": 0, **options}),
        **own,
    )
    check(RunSpec(spec), wire.build_run_spec, wire.parse_run_spec)
    return spec


def jsonl_task(
    path: str | Path, *, extractor: str = Extractor.EXACT, pattern: str = "", name: str = ""
) -> InlineTask:
    """A task of one's own, from a file with a JSON object a line: ``prompt`` and ``answer``.

    ``extractor``: how the answer is found in a completion: ``exact``, ``number``, ``choice``,
    ``last_line``, ``math``, or ``regex`` with ``pattern``. ``name``: without it the file's.
    Raises InvalidRequest when it can not be read.
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"task file {file}: {error}", reason="UNREADABLE") from error
    return InlineTask(name or file.stem, text, member(Extractor, extractor), pattern)
