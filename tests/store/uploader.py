"""Stores and stores, and says each version only when it is stored.

`python -m tests.store.uploader ROOT SEED MOST NAME`. test_crash.py kills it, test_concurrency.py
gives it a number of versions.
"""

import sys
from collections.abc import Callable
from itertools import count, islice

from steer.store import Store, tensors
from tests.store import items

NAMES = ("one", "two/a", "two/b")


def say(line: str) -> None:
    print(line, flush=True)


def main(
    root: str, seed: int, most: int | None = None, only: str = "", say: Callable[[str], None] = say
) -> None:
    """Vectors by ``put``, dictionaries in pieces, in turn."""
    store = Store(root)
    for n in islice(count(), most):
        name = only or NAMES[n % len(NAMES)]
        seed_n = seed * 100_000 + n
        version = store.add(items.vector(name, seed_n)) if n % 3 else in_pieces(store, name, seed_n)
        say(version.address)


def in_pieces(store: Store, name: str, seed: int):
    item = items.dictionary(name=name, seed=seed, d_sae=4000)
    size, pieces = tensors.encode(item.arrays())
    with store.upload(name, item.card, size) as upload:
        for piece in pieces:
            for start in range(0, len(piece), 40_000):
                upload.write(piece[start : start + 40_000])
        return upload.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
