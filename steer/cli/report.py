"""What the demo prints and writes."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from steer.cli.experiment import FORCED, MAX_TOKENS, Outcome
from steer.client.client import Client
from steer.client.recipes import add
from steer.tasks import a1
from steer.types import BASELINE


def as_json(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The numbers; all rates are fractions."""
    return {
        "n": outcomes[BASELINE].problems,
        "arms": {name: _rates(outcome) for name, outcome in outcomes.items()},
    }


def print_examples(client: Client, problems: Iterable[a1.Problem]) -> None:
    """The first problems with and without, measured, with what was applied where."""
    console = Console()
    for problem in problems:
        result = client.compare(problem.prompt, add("a1-rloo"), max_tokens=MAX_TOKENS)
        console.print(f"\n{problem.prompt}  (answer {problem.answer})", markup=False)
        console.print(result)


def print_report(outcomes: Mapping[str, Outcome]) -> None:
    """The table of arms, and what it means."""
    n = outcomes[BASELINE].problems
    table = Table(title=f"organism/a1, {n} held-out problems, {outcomes[BASELINE].facts} facts")
    table.add_column("arm")
    for head in ("accuracy %", "95 % interval", "valid traces %", "facts %"):
        table.add_column(head, justify="right")
    for name, outcome in outcomes.items():
        rates = _rates(outcome)
        table.add_row(
            name,
            f"{100 * rates['accuracy']:.1f}",
            f"{100 * rates['low']:.1f} – {100 * rates['high']:.1f}",
            f"{100 * rates['valid_traces']:.1f}",
            f"{100 * rates['facts']:.1f}",
        )
    console = Console()
    console.print()
    console.print(table)
    console.print(_meaning(outcomes), markup=False, highlight=False)


def _rates(outcome: Outcome) -> dict[str, float]:
    low, high = outcome.interval
    return {
        "accuracy": outcome.accuracy,
        "low": low,
        "high": high,
        "valid_traces": outcome.valid_traces / outcome.problems,
        "facts": outcome.facts_right / outcome.facts,
    }


def _meaning(outcomes: Mapping[str, Outcome]) -> str:
    base, best, forced = (outcomes[name].accuracy for name in (BASELINE, "a1-rloo", FORCED))
    random = [one for name, one in outcomes.items() if name.startswith("random-")]
    accuracies = [one.accuracy for one in random]
    kept = min(one.facts_right / one.facts for one in random)
    return (
        f"\nThe vector a1-rloo takes the accuracy from {base:.0%} to {best:.0%}. {len(random)} "
        f"random directions of the same norm, at the same place, give {min(accuracies):.0%} to "
        f"{max(accuracies):.0%}: that is what the size of the push does; the rest is the "
        f"direction. The last column is the price: one of the random directions leaves {kept:.0%} "
        f"of the facts. Forcing the first token, without touching an activation, gives "
        f"{forced:.0%}: that much is form, the decision to begin a trace. A trace is valid when "
        "every step is there and right, and the right answer follows.\nThe latent mode was put "
        "into this organism by us. It calibrates the instrument and is no evidence about large "
        "language models."
    )
