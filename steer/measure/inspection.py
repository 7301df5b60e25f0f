"""What of a vector's gain is its first token, and at which positions it is won."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from steer.measure.recovery import Share, shares

BASELINE, STEERED, FORCED = "baseline", "steered", "forced"


@dataclass(frozen=True, slots=True)
class Inspection:
    """Accuracies, 0 to 1, of the same ``n`` problems, and shares of the steered arm's gain.

    ``first_token_equivalent``: won by forcing the token that the steered model begins with, without
    the vector (Sinii et al., arXiv 2509.06608: about 0.75 at a last layer). ``upto``: by the number
    of positions that predict a token, from the first on, at which the vector acts, and all of the
    prompt where it acts there: 0 is the prompt alone. ``at``: what is won by each position, or
    stretch of positions, after those before.
    """

    n: int
    baseline: float
    steered: float
    forced: float
    first_token_equivalent: Share
    upto: Mapping[int, Share]

    @property
    def at(self) -> dict[int, float]:
        """By the last position of a stretch; empty where the gain is not clear."""
        found, before = {}, 0.0
        for count, share in sorted(self.upto.items()):
            if share.value is None:
                return {}
            found[count] = share.value - before
            before = share.value
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "n": self.n,
            "baseline": self.baseline,
            "steered": self.steered,
            "forced": self.forced,
            "first_token_equivalent": _plain(self.first_token_equivalent),
            "upto": {str(count): _plain(share) for count, share in self.upto.items()},
            "at": {str(count): share for count, share in self.at.items()},
        }


def inspected(
    right: Mapping[str, Sequence[bool]], upto: Mapping[int, Sequence[bool]], seed: int = 0
) -> Inspection:
    """From what was right, problem by problem: under the arms ``BASELINE``, ``STEERED`` and
    ``FORCED``, and with the vector at the first positions only, by how many. At least one problem.
    ``seed``: of the bootstrap."""
    base = np.asarray(right[BASELINE], float)
    whole = np.asarray(right[STEERED], float) - base
    arms = [right[FORCED], *upto.values()]
    parts = np.stack([np.asarray(arm, float) - base for arm in arms], axis=1)
    found = shares(parts, whole, np.arange(len(base)), seed=seed, name="steered arm")
    return Inspection(
        n=len(base),
        baseline=_mean(right[BASELINE]),
        steered=_mean(right[STEERED]),
        forced=_mean(right[FORCED]),
        first_token_equivalent=found[0],
        upto=dict(zip(upto, found[1:], strict=True)),
    )


def _mean(right: Sequence[bool]) -> float:
    return sum(right) / len(right)


def _plain(share: Share) -> dict[str, Any]:
    finite = {key: value for key, value in asdict(share).items() if value not in (None, "")}
    return {key: value for key, value in finite.items() if value not in (np.inf, -np.inf)}
