"""The table that tells what the bundled vectors of organism A1 do.

`a1-dom` is the difference of means of worksheet minus quiz prompts, `a1-rloo` is trained on
whether the answer is right. Both act after the last block, at every position that predicts a
generated token. Training used the split `train`, every choice the split `select`; the table is of
the split `report`. `python -m bench.vectors` makes them.
"""

from __future__ import annotations

from steer.elicit.bench import Bench, Score, random_like
from steer.store import Store, Vector
from steer.tasks import a1
from steer.tasks.task import REPORT
from steer.types import Phase, Site

NAMES = ("a1-dom", "a1-rloo")
AT = Site(2)
REPORTED_ON, RANDOM = 500, 5


def rows(of: Store) -> dict[str, Score]:
    """The report table of the stored vectors and their controls."""
    bench = Bench.of("a1", Phase.DECODE)
    found = {
        "default": bench.score({}, REPORT, REPORTED_ON),
        "forced THINK": bench.score({}, REPORT, REPORTED_ON, forced=a1.THINK),
    }
    for name in NAMES:
        stored = of.get(name)
        assert isinstance(stored, Vector), f"{name} is a {stored.kind}"
        vector = stored.tensors[AT]
        found[name] = bench.score({AT: vector}, REPORT, REPORTED_ON)
        found[f"{name}, negated"] = bench.score({AT: -vector}, REPORT, REPORTED_ON)
        for seed in range(RANDOM):
            drawn = {AT: random_like(vector, seed)}
            found[f"random {seed}, norm of {name}"] = bench.score(drawn, REPORT, REPORTED_ON)
    return found
