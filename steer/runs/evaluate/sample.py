"""Whether a run asks for enough problems, said before it begins."""

from steer.measure.power import paired_power
from steer.measure.thresholds import MARGIN
from steer.specs import EvaluateSpec, SweepSpec, Work

LEAST = 0.5
"""Below this power a difference that is there is rather missed than shown. The 500 problems of the
standard evaluation have 0.75."""


def too_small(work: Work) -> tuple[str, ...]:
    """What the problems of a run are too few to show, in words; nothing where nothing is claimed.

    Several samples of a problem vary less, by how much is not known before: they are not judged.
    """
    if isinstance(work, EvaluateSpec) and work.arms and work.samples == 1:
        n = work.n
    elif isinstance(work, SweepSpec):
        n = work.report_n
    else:
        return ()
    power = paired_power(n, MARGIN)
    return (f"the sample is small: {power}",) if power.power < LEAST else ()
