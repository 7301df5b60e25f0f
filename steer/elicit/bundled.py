"""What the bundled vectors of the organisms do: `python -m steer.elicit.bundled`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steer.elicit import bundled_a1, bundled_a2
from steer.elicit.bench import table
from steer.store import Store

TABLES = {"a1": bundled_a1.rows, "a2": bundled_a2.rows}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("vectors"), help="folder of the store")
    parser.add_argument("--only", choices=TABLES, help="one organism; by default all")
    chosen = parser.parse_args(arguments)
    for name in [chosen.only] if chosen.only else TABLES:
        print(table(TABLES[name](Store(chosen.store))), flush=True)


if __name__ == "__main__":
    main()
