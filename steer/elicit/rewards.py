"""What a reward says of a completion beside the others of its prompt.

RLOO: Ahmadian et al., arXiv 2402.14740. Without division by the spread: Liu et al. (Dr. GRPO),
arXiv 2503.20783; with vectors as the trained parameters both in Sinii et al., arXiv 2505.18706.
"""

from __future__ import annotations

from collections.abc import Sequence


def leave_one_out(rewards: Sequence[float]) -> list[float]:
    """A_i = r_i - mean of the others in the group; at least two."""
    group = len(rewards)
    return [one * group / (group - 1) for one in against_mean(rewards)]


def against_mean(rewards: Sequence[float]) -> list[float]:
    """A_i = r_i - mean of the group, not divided by its standard deviation."""
    # All alike have to give zeros and nothing else: no rounding may look like a preference.
    if min(rewards) == max(rewards):
        return [0.0] * len(rewards)
    mean = sum(rewards) / len(rewards)
    return [one - mean for one in rewards]
