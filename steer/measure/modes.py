"""What an arm put right and what it spoilt: correction and overthinking."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Modes:
    """Fractions of ``n`` pairs: ``delta`` = ``corrected`` (δ_c) - ``overthought`` (δ_o).

    ``correction_rate`` r_c = P(arm right | baseline wrong), ``overthinking_rate`` r_o = P(arm wrong
    | baseline right); None where the baseline never was that.
    """

    n: int
    delta: float
    corrected: float
    overthought: float
    correction_rate: float | None
    overthinking_rate: float | None


def modes(pairs: Iterable[tuple[bool, bool]]) -> Modes | None:
    """From (baseline right, arm right) of each item, or item and sample; None without any.

    n·δ_c and n·δ_o are McNemar's discordant cells. Source: Yang, Gao and Wu, "Decoupling Knowledge
    and Reasoning in LLMs", arXiv 2507.18178, where the baseline is the fast mode, the arm the slow.
    """
    cells = {(base, arm): 0 for base in (False, True) for arm in (False, True)}
    for base, arm in pairs:
        cells[bool(base), bool(arm)] += 1
    n, right = sum(cells.values()), cells[True, True] + cells[True, False]
    corrected, overthought = cells[False, True], cells[True, False]
    if not n:
        return None
    return Modes(
        n,
        (corrected - overthought) / n,
        corrected / n,
        overthought / n,
        corrected / (n - right) if right < n else None,
        overthought / right if right else None,
    )
