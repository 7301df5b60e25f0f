"""``steer extract``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steer.cli.jobs import check_asked, finished, known, layer_numbers, serving
from steer.cli.options import Chat, Json, RunId, Served, Target
from steer.cli.run_report import show
from steer.errors import InvalidRequest
from steer.specs import ExtractMethod, ExtractSpec, Passage, Pooling, ReadAt
from steer.specs.making import SLOT
from steer.types import Message, Phase, Point, Prompt

if TYPE_CHECKING:
    from steer.client.extractions import ExtractOptions

_DEFAULT = ExtractSpec("")


def extract(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="NAME under which the vector is stored.")] = "",
    positive: Annotated[
        Path | None,
        typer.Option(help="Texts it points to: a prompt a line, or an object a line of .jsonl."),
    ] = None,
    negative: Annotated[Path | None, typer.Option(help="Texts it points away from.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="Prompts, a line each, for --cue.")] = None,
    cue: Annotated[str, typer.Option(help="Around --prompts, {} for the prompt: positive.")] = "",
    cue_against: Annotated[str, typer.Option(help="The same: negative.")] = SLOT,
    task: Annotated[
        str, typer.Option(help="Instead of texts: a bundled task, its cued prompts against plain.")
    ] = "",
    n: Annotated[int, typer.Option("--n", help="Problems of the task.")] = _DEFAULT.n,
    paired: Annotated[
        bool, typer.Option(help="Line by line the two files belong together.")
    ] = False,
    chat: Chat = False,
    method: Annotated[ExtractMethod, typer.Option(help="How.")] = _DEFAULT.method,
    read_at: Annotated[ReadAt, typer.Option(help="Which tokens.")] = _DEFAULT.read_at,
    event: Annotated[str, typer.Option(help="Of --read-at event: its text.")] = "",
    offset: Annotated[int, typer.Option(help="Tokens from the event, 0 or below.")] = (
        _DEFAULT.offset
    ),
    pooling: Annotated[Pooling, typer.Option(help="What counts as one.")] = _DEFAULT.pooling,
    layers: Annotated[str, typer.Option(help="Such as 0-5,8. Default: all.")] = "",
    point: Annotated[Point, typer.Option(help="Where in a block.")] = Point.RESID_POST,
    phase: Annotated[
        Phase | None, typer.Option(help="At which positions its card says it acts. Default: all.")
    ] = None,
    normalise: Annotated[bool, typer.Option(help="Give it unit length.")] = False,
    scale: Annotated[float, typer.Option(help="Multiply it by this.")] = _DEFAULT.scale,
    as_probe: Annotated[
        bool, typer.Option(help="Store a probe for gates; with --method probe.")
    ] = False,
    description: Annotated[str, typer.Option(help="For its card.")] = "",
    licence: Annotated[str, typer.Option(help="For its card.")] = "",
    seed: Annotated[int, typer.Option(help="Of the halves it is judged by.")] = _DEFAULT.seed,
    run: RunId = "",
    model: Served = "",
    json: Json = False,
    target: Target = None,
) -> None:
    """Make a vector from two classes of texts, and store it with what is known of it.

    It is a stored run: when you stop waiting it goes on with its server, and --run brings you back.
    Starts a server of its own unless --target names one; the vector is then in your own store.
    """
    from steer.cli.output import print_json

    check_asked(context, "NAME", name, run)
    options: ExtractOptions = {
        "method": method,
        "read_at": read_at,
        "event": event,
        "offset": offset,
        "pooling": pooling,
        "normalise": normalise,
        "scale": scale,
        "as_probe": as_probe,
        "description": description,
        "licence": licence,
        "seed": seed,
    }
    if layers:
        options["sites"] = [(layer, point) for layer in layer_numbers(layers)]
    elif point is not Point.RESID_POST:
        raise InvalidRequest("--point goes with --layers")
    if phase:
        options["where"] = phase
    if name:
        options.update(_texts(positive, negative, prompts, (cue, cue_against), chat))
    if task:
        if chat:
            raise InvalidRequest("--chat is for texts; a task has its own prompts")
        options.update({"task": task, "n": n})
    elif paired:
        options["paired"] = True
    with serving(target, model, task) as client:
        if name:
            handle = client.runs.extract(name, run_id=run, **options)
        else:
            handle = known(client, run)
        found = finished(handle, "extract")
    print_json(found.report) if json else show(found)


def _texts(
    positive: Path | None,
    negative: Path | None,
    prompts: Path | None,
    cues: tuple[str, str],
    chat: bool,
) -> "ExtractOptions":
    from steer.client.extractions import cued, read_passages

    if prompts is not None:
        if not cues[0]:
            raise InvalidRequest("--prompts goes with --cue")
        if positive or negative:
            raise InvalidRequest("--prompts makes both classes; give it, or both of them")
        asked = read_passages(prompts)
        texts = [one.prompt.text or "" for one in asked]
        if asked != [Passage(Prompt(text)) for text in texts]:
            raise InvalidRequest(f"{prompts}: a cue goes around texts, with nothing beside them")
        around, against = cued(texts, cues)
        return {**_classes(around, against, chat), "paired": True}
    if cues != ("", SLOT):
        raise InvalidRequest("--cue and --cue-against go with --prompts")
    up, down = ([] if path is None else read_passages(path) for path in (positive, negative))
    return _classes(up, down, chat)


def _classes(
    positive: Sequence[Passage], negative: Sequence[Passage], chat: bool
) -> "ExtractOptions":
    return {
        "positive": [_said(one) if chat else one for one in positive],
        "negative": [_said(one) if chat else one for one in negative],
    }


def _said(one: Passage) -> Passage:
    """The same, the prompt as a user's message."""
    if one.prompt.text is None:
        return one
    return Passage(Prompt(messages=(Message("user", one.prompt.text),)), one.answer, one.spans)
