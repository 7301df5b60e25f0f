"""`python -m bench.store`: the memory a large dictionary takes of a server, and how long listings
of many vectors take. Over the real RPC, with the server in a process of its own."""

import argparse
import json
import platform
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.large import memory
from bench.listing import listing

RESULTS = Path(__file__).parent / "store.json"


def main() -> None:
    """Measure, print, write bench/store.json."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500, help="size of the dictionary")
    parser.add_argument("--vectors", type=int, default=10_000, help="how many are listed")
    options = parser.parse_args()
    console, results = Console(), machine()
    with TemporaryDirectory(prefix="steer-bench-") as folder, console.status("memory"):
        grown = memory(Path(folder), options.megabytes * 1_000_000)
    results["memory_over_size"] = {"megabytes": options.megabytes, **grown}
    console.print(table(f"memory over {options.megabytes} MB", grown))
    with TemporaryDirectory(prefix="steer-bench-") as folder, console.status("listing"):
        times = listing(Path(folder), options.vectors)
    results["listing_ms"] = {"vectors": options.vectors, **times}
    console.print(table(f"ms, of {options.vectors} vectors", times))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    console.print(f"{results['processor']}, {results['dtype']}; written to {RESULTS}")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {"processor": platform.processor() or platform.machine(), "dtype": "float32"}


def table(title: str, found: dict[str, float]) -> Table:
    """Names and figures."""
    shown = Table(title=title)
    for column in ("", "measured"):
        shown.add_column(column)
    for name, value in found.items():
        shown.add_row(name, f"{value:g}")
    return shown


if __name__ == "__main__":
    main()
