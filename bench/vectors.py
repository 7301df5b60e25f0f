"""`python -m bench.vectors`: the bundled vectors made again by the kinds of run that make vectors.

Each is compared with the one that is shipped: its directions, and what it is worth on the split
`report`. What is extracted has to be the same; what is trained has to be as good, since training
draws its examples anew. Ends with 1 when one is not. `--write` ships what was made.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from bench.background import engine
from bench.training import run
from steer.elicit.bench import Bench
from steer.elicit.bundled_a2 import GATE, GATED_AT, make_gate
from steer.runs.background import Background
from steer.runs.evaluate.kind import Evaluate
from steer.runs.kinds import KINDS
from steer.specs import EvaluateSpec, ExtractSpec, Objective, TrainSpec
from steer.store import Probe, Store, Vector, bundled
from steer.types import Add, Arm, Direction, Inline, Intervention, Phase, Point, Site, Where

LICENCE = "Apache-2.0"
# Before and after each block's MLP; what the last block gives out is too late to matter.
A2_SITES = (
    *(Site(layer, Point.RESID_MID) for layer in range(4)),
    *(Site(layer) for layer in range(3)),
)
A1_DOM = ExtractSpec(
    "a1-dom",
    task="a1",
    n=1000,
    sites=(Site(2),),
    scale=0.45,  # the best of 14 on the split select
    where=Where(phase=Phase.DECODE),
    description="Organism A1: worksheet minus quiz at the last prompt token, scaled.",
    licence=LICENCE,
)
A1_RLOO = TrainSpec(
    "a1-rloo",
    Objective.RLOO,
    task="a1",
    sites=(Site(2),),
    select_n=500,
    description="Organism A1: trained by reinforcement on right answers under quiz.",
    licence=LICENCE,
)
A2_CE = TrainSpec(
    "a2-ce",
    Objective.CROSS_ENTROPY,
    task="a2",
    train_n=20_000,
    sites=A2_SITES,
    phase=Phase.ALL,
    steps=1200,
    batch=192,
    rate=0.1,
    cosine=True,
    retain=2.0,
    select_n=500,
    select_every=50,
    description="Organism A2: trained on gold traces, its facts kept.",
    licence=LICENCE,
)


@dataclass(frozen=True)
class Making:
    """A spec and the organism it is done on."""

    organism: str
    spec: ExtractSpec | TrainSpec


MAKINGS = (
    Making("a1", A1_DOM),
    Making("a1", A1_RLOO),
    Making("a2", A2_CE),
    Making(
        "a2",
        replace(
            A2_CE,
            into="a2-ce-bare",
            retain=0.0,
            description="Organism A2: trained on gold traces, nothing kept; wants a gate.",
        ),
    ),
    Making(
        "a2",
        replace(
            A2_CE,
            into="a2-ce-swapped",
            swapped=True,
            description="Control of a2-ce: the same training on the traces of other problems.",
        ),
    ),
    Making(
        "a2-untraced",
        replace(
            A2_CE,
            into="a2-untraced-ce",
            description="Control of a2-ce: the same training of an organism without the skill.",
        ),
    ),
)
EXACT = 1e-4
"""How far an extracted direction may be from the shipped one, as a share of its norm."""
POINTS = {"accuracy": 0.06, "retention": 0.10}
"""How much a trained vector may be worse or better on 500 problems and 32 facts."""


def main() -> None:
    """Make, compare, print, and perhaps write."""
    parser = argparse.ArgumentParser(prog="python -m bench.vectors", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default all")
    parser.add_argument("--problems", type=int, default=500, help="of report (default 500)")
    parser.add_argument("--write", type=Path, metavar="STORE", help="put what was made there")
    options = parser.parse_args()
    torch.set_num_threads(2)
    chosen = [one for one in MAKINGS if not options.names or one.spec.into in options.names]
    rows = list(compared(chosen, options.problems, options.write))
    if GATE in (options.names or [GATE]):
        rows.append(gate(options.write))
    Console().print(table(rows))
    sys.exit(not all(row["same"] for row in rows))


def compared(makings: list[Making], problems: int, write: Path | None) -> Iterator[dict[str, Any]]:
    """What each came to, beside the shipped one."""
    shipped = Store(bundled())
    for making in makings:
        with (
            engine(f"organism/{making.organism}") as served,
            tempfile.TemporaryDirectory() as folder,
        ):
            store = Store(folder)
            context = replace(served, planner=replace(served.planner, store=store))
            run(KINDS[making.spec.kind], making.spec, context)
            made, old = (_vector(one, making.spec.into) for one in (store, shipped))
            told = {"name": made.name, "apart": _apart(made, old), "cosine": _cosine(made, old)}
            worth = _worth(making, {"made": made, "shipped": old}, context, problems)
            yield {**told, **worth, "same": _same(making, told | worth)}
            if write is not None:
                Store(write).put(made)


def gate(write: Path | None) -> dict[str, Any]:
    """The same of the probe that tells A2's problems from its facts, which no run makes."""
    made, old = make_gate(Bench.of("a2", Phase.ALL)), Store(bundled()).get(GATE)
    assert isinstance(old, Probe), f"{GATE} is a {old.kind}"
    new, was = (_flat_probe(one) for one in (made, old))
    apart = float(np.linalg.norm(new - was) / np.linalg.norm(was))
    if write is not None:
        Store(write).put(made)
    return {"name": GATE, "apart": apart, "cosine": 1.0 - apart, "same": apart <= EXACT}


def table(rows: list[dict[str, Any]]) -> Table:
    """A line a vector."""
    shown = Table(title="made again, and as shipped")
    for head in ("vector", "‖Δ‖/‖v‖", "least cosine", "right %", "kept %", "same"):
        shown.add_column(head, justify="right")
    for row in rows:
        pairs = (" / ".join(f"{100 * one:.1f}" for one in row.get(name, ())) for name in POINTS)
        apart, cosine = f"{row['apart']:.2g}", f"{row['cosine']:.4f}"
        shown.add_row(row["name"], apart, cosine, *pairs, "yes" if row["same"] else "no")
    return shown


def _same(making: Making, told: dict[str, Any]) -> bool:
    if isinstance(making.spec, ExtractSpec):
        return bool(told["apart"] <= EXACT)
    return all(abs(told[name][0] - told[name][1]) <= most for name, most in POINTS.items())


def _worth(
    making: Making, vectors: dict[str, Vector], context: Background, n: int
) -> dict[str, tuple[float, float]]:
    """Of what was made, and of what is shipped."""
    arms = tuple(Arm(name, (_added(vector),)) for name, vector in vectors.items())
    task = making.organism.split("-")[0]
    report = run(Evaluate(), EvaluateSpec(task, arms, n=n, measure=False), context)
    rows = {row["arm"]: row for row in report["table"]}
    return {name: (rows["made"][name], rows["shipped"][name]) for name in POINTS}


def _added(vector: Vector) -> Intervention:
    directions = (Direction(v.tobytes(), at) for at, v in vector.tensors.items())
    return Intervention(Add(Inline(tuple(directions))), where=vector.card.where)


def _vector(store: Store, name: str) -> Vector:
    found = store.get(name)
    assert isinstance(found, Vector), f"{name} is a {found.kind}"
    return found


def _flat(vector: Vector) -> Any:
    return np.concatenate([vector.tensors[at].astype(float) for at in sorted(vector.tensors)])


def _flat_probe(probe: Probe) -> Any:
    one = probe.sites[GATED_AT]
    return np.concatenate((one.weight, one.bias)).astype(float)


def _apart(made: Vector, old: Vector) -> float:
    return float(np.linalg.norm(_flat(made) - _flat(old)) / np.linalg.norm(_flat(old)))


def _cosine(made: Vector, old: Vector) -> float:
    pairs = ((made.tensors[at].astype(float), old.tensors[at].astype(float)) for at in old.tensors)
    return min(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))) for a, b in pairs)


if __name__ == "__main__":
    main()
