"""`python -m bench`: measure, print, and write bench/results.json."""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.console import Console
from rich.table import Table

from bench.cases import SUITE, Results
from bench.subject import THREADS, Subject

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Run the suite, or the parts named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(SUITE))
    parser.add_argument("--repeats", type=int, default=5, help="counted repetitions (default 5)")
    options = parser.parse_args()
    unknown = set(options.parts) - set(SUITE)
    if unknown or options.repeats < 1:
        parser.error(f"unknown parts {sorted(unknown)}, or repeats below 1")
    console = Console()
    with console.status("loading SmolLM2-135M-Instruct"):
        subject = Subject.open()
    # Parts that are not run again keep their figures.
    kept = json.loads(RESULTS.read_text()) if options.parts and RESULTS.exists() else {}
    results: dict[str, Any] = kept | {"machine": machine(), "repeats": options.repeats}
    try:
        for name in options.parts or SUITE:
            with console.status(name):
                found = SUITE[name](subject, options.repeats)
            console.print(table(name, found))
            results |= plain(name, found)
    finally:
        subject.engine.close()
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"written to {RESULTS}")


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "threads": THREADS,
        "dtype": "bfloat16",
        "model": "SmolLM2-135M-Instruct (dequantised from Q4_1)",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def table(name: str, found: Results) -> Table:
    """Ratios as a table."""
    shown = Table(title=name)
    for column in ("case", "min", "median", "max"):
        shown.add_column(column)
    for case, ratio in found.items():
        shown.add_row(case, *(f"{value:.3f}" for value in ratio.to_dict().values()))
    return shown


def plain(name: str, found: Results) -> dict[str, Any]:
    """As results.json has it: ratios that are not by number stand by their own names."""
    values = {case: ratio.to_dict() for case, ratio in found.items()}
    return {name: values} if all(case.isdecimal() for case in values) else values


if __name__ == "__main__":
    main()
