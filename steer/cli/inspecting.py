"""Asks a task's problems under a vector and under parts of it, and shows what came of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from steer.cli.output import print_table
from steer.errors import InvalidRequest
from steer.types import STEERED, Phase, Range, Where

if TYPE_CHECKING:
    from steer.client.arms import Treatment
    from steer.client.client import Client
    from steer.client.recipe import Recipe
    from steer.client.results import Comparison
    from steer.measure.inspection import Inspection
    from steer.measure.recovery import Share
    from steer.tasks.task import Item, Task

CALLS = 4
"""Problems that are asked about at once."""
_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


def inspect_vector(
    client: "Client", recipe: "Recipe", task: "Task", items: "Sequence[Item]"
) -> "Inspection":
    """Greedy answers to every problem, with and without the vector and with parts of it. Raises
    InvalidRequest where the vector acts in ranges of its own."""
    from rich.console import Console
    from rich.progress import track

    from steer.measure.inspection import inspected

    arms: dict[str, list[bool]] = defaultdict(list)
    upto: dict[int, list[bool]] = defaultdict(list)
    with ThreadPoolExecutor(CALLS) as pool:
        done = pool.map(lambda item: _asked(client, recipe, task, item), items)
        shown = track(done, "problems", len(items), console=Console(stderr=True))
        for right in shown:
            for name, correct in right.items():
                (upto[name] if isinstance(name, int) else arms[name]).append(correct)
    return inspected(arms, upto)


def _asked(client: "Client", recipe: "Recipe", task: "Task", item: "Item") -> dict[str | int, bool]:
    from steer.client.arms import arm
    from steer.measure.inspection import BASELINE, FORCED

    prompt = item.prompt
    whole = client.compare(prompt, recipe, max_tokens=task.max_tokens, measure=False)
    parts: dict[str, Treatment] = {
        str(count): part for count, part in _parts(whole, recipe, task.max_tokens)
    }
    # An answer that ends before its first token has none to force.
    forced = whole.steered.token_ids[:1]
    alone: dict[str, Treatment] = {FORCED: arm(forced_prefix=forced)} if forced else {}
    found = client.compare(
        prompt,
        arms=parts | alone,
        max_tokens=task.max_tokens,
        measure=False,
        baseline=False,
    )
    texts: dict[str | int, str] = {name: whole[name].text for name in (BASELINE, STEERED)}
    texts[FORCED] = found[FORCED].text if forced else whole.steered.text
    texts |= {int(name): found[name].text for name in parts}
    return {name: task.grade(item, text).correct for name, text in texts.items()}


def _parts(whole: "Comparison", recipe: "Recipe", most: int) -> "Iterator[tuple[int, Recipe]]":
    """The vector at its first positions only, by how many of those that predict a token."""
    from steer.client.recipe import Recipe

    resolved = next(one for one in whole.started.arms if one.name == STEERED)
    length = len(resolved.prompt_token_ids)
    wheres = [one.where for one in resolved.interventions]
    if any(one.ranges for one in wheres):
        raise InvalidRequest("acts in ranges of its own; say --phase")
    for count in (0, *_STEPS):
        if count >= most or (not count and not any(map(_on_prompt, wheres))):
            continue
        stop = (Range(None, length - 1 + count),)
        yield (
            count,
            Recipe(
                tuple(
                    replace(item, where=replace(where, ranges=stop))
                    for item, where in zip(recipe.interventions, wheres, strict=True)
                )
            ),
        )


def _on_prompt(where: Where) -> bool:
    return where.phase in (Phase.ALL, Phase.PROMPT)


def print_inspection(found: "Inspection") -> None:
    """Accuracies, then shares of the gain."""
    accuracies = {"baseline": found.baseline, "steered": found.steered, "forced": found.forced}
    print_table(
        ("arm", f"right % of {found.n}"),
        ((name, f"{100 * value:.1f}") for name, value in accuracies.items()),
    )
    rows: list[tuple[str, Share, float | None]] = [
        ("its first token, forced, without it", found.first_token_equivalent, None)
    ]
    rows += [(_where(count), share, found.at.get(count)) for count, share in found.upto.items()]
    print_table(
        ("share of the gain", "%", "interval", "of these positions alone"),
        ((what, *_cells(share), _percent(own)) for what, share, own in rows),
    )
    if found.first_token_equivalent.undefined:
        print(f"note: {found.first_token_equivalent.undefined}")


def _where(count: int) -> str:
    return f"at the first {count} tokens" if count else "at the prompt alone"


def _cells(share: "Share") -> tuple[str, str]:
    if share.value is None or share.low is None or share.high is None:
        return "-", ""
    return _percent(share.value), f"{100 * share.low:.0f} to {100 * share.high:.0f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
