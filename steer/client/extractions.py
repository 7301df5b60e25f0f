"""Specs of extractions, made from what a caller gives."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from steer import wire
from steer.client.checked import build, check, member
from steer.client.prompts import PromptLike, as_prompt, one_prompt
from steer.client.sites import SiteLike, as_site
from steer.client.where import WhereLike
from steer.client.where import where as where_of
from steer.errors import InvalidRequest
from steer.specs import (
    ExtractMethod,
    ExtractSpec,
    InlineTask,
    Passage,
    Pooling,
    ReadAt,
    RunSpec,
)
from steer.specs.making import SLOT
from steer.types import Point

# A prompt, a ready passage, or {"prompt" (or "messages", "token_ids"): …, "answer": …, "spans": …}.
PassageLike = PromptLike | Passage | Mapping[str, Any]

FIELDS = ("prompt", "messages", "token_ids", "answer", "spans")
"""Where a cue takes the prompt."""


class ExtractOptions(TypedDict, total=False):
    """Everything an extraction can be told; see ``steer.ExtractSpec``.

    The texts are one of: ``positive`` and ``negative``; ``prompts`` (texts) with ``cues``, the
    positive and the negative template around each of them, ``{}`` in its place, which makes them
    pairs; ``task``, with ``n`` of its problems. ``layers``: 0-based decoder blocks, at ``point``
    (default ``resid_post``); ``sites``: layers, (layer, point) or ``steer.Site``; without both,
    after every block. ``where``: a phase or ``steer.where(…)``, at which tokens the card says the
    direction acts.
    """

    positive: Iterable[PassageLike]
    negative: Iterable[PassageLike]
    prompts: Iterable[str]
    cues: tuple[str, str]
    task: str | InlineTask
    n: int
    paired: bool
    method: str
    read_at: str
    event: str
    offset: int
    pooling: str
    layers: Iterable[int]
    point: str
    sites: Iterable[SiteLike]
    normalise: bool
    scale: float
    as_probe: bool
    where: WhereLike
    description: str
    licence: str
    seed: int


_OWN = "n paired event offset normalise scale as_probe description licence seed".split()


def make_extraction(
    into: str,
    *,
    positive: Iterable[PassageLike] = (),
    negative: Iterable[PassageLike] = (),
    prompts: Iterable[str] = (),
    cues: tuple[str, str] | None = None,
    task: str | InlineTask | None = None,
    method: str = ExtractMethod.DIFFERENCE_OF_MEANS,
    read_at: str = ReadAt.LAST_PROMPT,
    pooling: str = Pooling.MEAN,
    layers: Iterable[int] = (),
    point: str = Point.RESID_POST,
    sites: Iterable[SiteLike] = (),
    where: WhereLike | None = None,
    **options: Any,
) -> ExtractSpec:
    """The spec of an extraction that is stored as ``into``.

    Raises InvalidRequest for what can not be valid anywhere.
    """
    own = {name: options.pop(name) for name in _OWN if name in options}
    if options:
        raise TypeError(f"unknown option {min(options)!r}; see steer.ExtractSpec")
    classes = [tuple(map(passage, texts)) for texts in (positive, negative)]
    if cues is not None:
        if any(classes):
            raise InvalidRequest("cues go around prompts; give these, or positive and negative")
        classes = list(cued(tuple(prompts), cues))
        own = {"paired": True, **own}
    elif tuple(prompts):
        raise InvalidRequest("prompts go with cues: a positive and a negative template")
    spec = ExtractSpec(
        into=into,
        positive=classes[0],
        negative=classes[1],
        task=task,
        method=member(ExtractMethod, method),
        read_at=member(ReadAt, read_at),
        pooling=member(Pooling, pooling),
        sites=(*(as_site(layer, point) for layer in layers), *(as_site(one) for one in sites)),
        where=None if where is None else where_of(where),
        **own,
    )
    check(RunSpec(spec), wire.build_run_spec, wire.parse_run_spec)
    return spec


def passage(value: PassageLike) -> Passage:
    """The text a caller means. Raises InvalidRequest."""
    if isinstance(value, Passage):
        return value
    if not isinstance(value, Mapping):
        return Passage(as_prompt(value))
    if unknown := value.keys() - set(FIELDS):
        raise InvalidRequest(f"a text has {', '.join(FIELDS)}, not {min(map(str, unknown))}")
    prompt = one_prompt(value.get("prompt"), value.get("messages"), value.get("token_ids"))
    spans = build(lambda: tuple((begin, end) for begin, end in value.get("spans", ())))
    if below := [span for span in spans if min(span) < 0]:
        raise InvalidRequest(f"spans count from 0, the first token, not {below[0]}")
    return Passage(prompt, value.get("answer", ""), spans)


def read_passages(path: str | Path) -> list[Passage]:
    """The texts of a file: of ``.jsonl`` an object a line, as ``passage`` takes it; else a prompt a
    line. Empty lines are skipped. Raises InvalidRequest, naming the line."""
    file = Path(path)
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file}: {error}", reason="UNREADABLE") from error
    return list(_parsed(file, lines))


def _parsed(file: Path, lines: Iterable[str]) -> Iterator[Passage]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if file.suffix != ".jsonl":
            yield passage(line.rstrip("\r"))
            continue
        try:
            yield passage(_object(json.loads(line)))
        except (ValueError, RecursionError, InvalidRequest) as error:
            raise InvalidRequest(f"{file}, line {number}: {error}") from error


def _object(value: Any) -> PassageLike:
    if isinstance(value, str | Mapping):
        return value
    raise InvalidRequest(f"is {type(value).__name__}; give an object or a text")


def cued(prompts: Sequence[str], cues: tuple[str, str]) -> Iterator[tuple[Passage, ...]]:
    """The prompts in each of the cues. Raises InvalidRequest for one that does not take them."""
    for cue in cues:
        if SLOT not in cue:
            raise InvalidRequest(f"the cue {cue!r} has no {SLOT}, where the prompt goes")
        yield tuple(passage(cue.replace(SLOT, prompt)) for prompt in prompts)
