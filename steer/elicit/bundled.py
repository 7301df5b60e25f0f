"""Make and store the bundled vectors of the organisms: `python -m steer.elicit.bundled`.

`--only a2` makes those of one organism; `--check` prints the tables of vectors already stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steer.elicit import bundled_a1, bundled_a2
from steer.elicit.bench import table
from steer.store import Store

MAKERS = {"a1": bundled_a1, "a2": bundled_a2}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("vectors"), help="folder of the store")
    parser.add_argument("--only", choices=MAKERS, help="one organism; by default all")
    parser.add_argument("--check", action="store_true", help="only print the tables")
    chosen = parser.parse_args(arguments)
    store = Store(chosen.store)
    for name in [chosen.only] if chosen.only else MAKERS:
        if not chosen.check:
            MAKERS[name].store(store)
        print(table(MAKERS[name].rows(store)), flush=True)


if __name__ == "__main__":
    main()
