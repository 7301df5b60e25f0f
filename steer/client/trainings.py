"""Specs of training runs, made from what a caller gives."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from steer import wire
from steer.client.checked import check, member
from steer.client.prompts import PromptLike, as_prompt, one_prompt
from steer.client.sites import SiteLike, as_site
from steer.errors import InvalidRequest
from steer.specs import Demonstration, InlineTask, Objective, RunSpec, TrainSpec
from steer.types import Phase, Point

# (prompt, target), or {"prompt" (or "messages", "token_ids"): …, "target": …}.
DemonstrationLike = Demonstration | tuple[PromptLike, str] | Mapping[str, Any]

FIELDS = ("prompt", "messages", "token_ids", "target")


class TrainOptions(TypedDict, total=False):
    """Everything a training run can be told; see ``steer.TrainSpec``.

    ``objective``: ``rloo`` (default) or ``grpo_no_std``, which climb a task's rewards, or
    ``cross_entropy``, on a task's right traces or on ``demonstrations``. ``layers``: 0-based
    decoder blocks, at ``point`` (default ``resid_post``); ``sites``: layers, (layer, point) or
    ``steer.Site``. ``where``: a phase, ``decode`` (default), ``all``, ``generated`` or ``first``.
    """

    objective: str
    task: str | InlineTask
    demonstrations: Iterable[DemonstrationLike]
    swapped: bool
    train_n: int
    layers: Iterable[int]
    point: str
    sites: Iterable[SiteLike]
    where: str
    steps: int
    batch: int
    group: int
    rate: float
    cosine: bool
    temperature: float
    max_tokens: int
    kl: float
    retain: float
    norm: float
    teacher: float
    teacher_top_k: int
    select_n: int
    select_every: int
    enough: float
    patience: int
    seed: int
    description: str
    licence: str


_OWN = (
    "swapped train_n steps batch group rate cosine temperature max_tokens kl retain norm teacher "
    "teacher_top_k select_n select_every enough patience seed description licence"
).split()


def make_training(
    into: str,
    *,
    objective: str = Objective.RLOO,
    task: str | InlineTask | None = None,
    demonstrations: Iterable[DemonstrationLike] = (),
    layers: Iterable[int] = (),
    point: str = Point.RESID_POST,
    sites: Iterable[SiteLike] = (),
    where: str = Phase.DECODE,
    **options: Any,
) -> TrainSpec:
    """The spec of a training run whose vector is stored as ``into``.

    Raises InvalidRequest for what can not be valid anywhere.
    """
    own = {name: options.pop(name) for name in _OWN if name in options}
    if options:
        raise TypeError(f"unknown option {min(options)!r}; see steer.TrainSpec")
    spec = TrainSpec(
        into=into,
        objective=member(Objective, objective),
        task=task,
        demonstrations=tuple(map(demonstration, demonstrations)),
        sites=(*(as_site(layer, point) for layer in layers), *(as_site(one) for one in sites)),
        phase=member(Phase, where),
        **own,
    )
    check(RunSpec(spec), wire.build_run_spec, wire.parse_run_spec)
    return spec


def demonstration(value: DemonstrationLike) -> Demonstration:
    """The demonstration a caller means. Raises InvalidRequest."""
    match value:
        case Demonstration():
            return value
        case Mapping():
            if unknown := value.keys() - set(FIELDS):
                named = min(map(str, unknown))
                raise InvalidRequest(f"a demonstration has {', '.join(FIELDS)}, not {named}")
            prompt = one_prompt(value.get("prompt"), value.get("messages"), value.get("token_ids"))
            return Demonstration(prompt, value.get("target", ""))
        case (prompt, str(target)):
            return Demonstration(as_prompt(prompt), target)
    raise InvalidRequest(f"{value!r} is no demonstration; give (prompt, target)")


def read_demonstrations(path: str | Path) -> list[Demonstration]:
    """The demonstrations of a ``.jsonl`` file, an object a line, as ``demonstration`` takes it.
    Empty lines are skipped. Raises InvalidRequest, naming the line."""
    file = Path(path)
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file}: {error}", reason="UNREADABLE") from error
    return list(_parsed(file, lines))


def _parsed(file: Path, lines: Iterable[str]) -> Iterator[Demonstration]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            if not isinstance(value, Mapping):
                raise InvalidRequest(f"is {type(value).__name__}; give an object")
            yield demonstration(value)
        except (ValueError, RecursionError, InvalidRequest) as error:
            raise InvalidRequest(f"{file}, line {number}: {error}") from error
