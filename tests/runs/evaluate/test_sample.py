"""What is said of a sample before a run begins."""

from dataclasses import replace

import pytest

from steer.measure.power import paired_power
from steer.runs.evaluate.sample import too_small
from steer.specs import EvaluateSpec, ExtractSpec, SweepSpec
from steer.types import Arm

SPEC = EvaluateSpec("a1", (Arm("steered"),))


@pytest.mark.parametrize(
    "work",
    [
        SPEC,
        replace(SPEC, n=280),
        replace(SPEC, n=24, arms=()),
        replace(SPEC, n=24, samples=8),
        SweepSpec("a1", (Arm("steered"),)),
        ExtractSpec("v"),
    ],
)
def test_nothing_is_said_of_enough_and_of_no_claim(work):
    assert too_small(work) == ()


@pytest.mark.parametrize(
    "work", [replace(SPEC, n=24), SweepSpec("a1", (Arm("steered"),), report_n=24)]
)
def test_a_small_sample_is_told_with_its_power(work):
    (said,) = too_small(work)
    assert said == f"the sample is small: {paired_power(24, 0.05)}"
    assert "5 points" in said and "563 items would with 80%" in said
