"""Reads a source, stores it and says how much memory that took: `python -m ... PATH STORE`.

Run by test_memory.py in a process of its own. Prints the size of the stored file and the growth of
the largest resident size, both in bytes.
"""

import sys
from pathlib import Path

import numpy as np

from steer.formats import Source, read
from steer.store import Store


def peak() -> int:
    # Not getrusage: what it says begins with the size of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(path: str, root: str) -> None:
    if path.endswith(("pt", "dictionary_learning")):
        import torch  # Is not what is measured.

        torch.zeros(1)
    np.ones((300, 300)) @ np.ones((300, 300))
    before = peak()
    understood = read(Source.of_path(path))
    version = understood.save(Store(root), "large")
    with Store(root).open("large")[1] as file:
        size = file.seek(0, 2)
    assert version.card.kind == "sae"
    print(size, peak() - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
