"""Specs of sweeps as callers write them."""

import pytest

import steer
from steer.client.sweeps import make_sweep
from steer.errors import InvalidRequest
from steer.types import Point, Sampling


def test_options_go_where_they_belong():
    spec = make_sweep(
        "a1",
        steer.add("v"),
        arms={"gone": steer.ablate("v")},
        layers=range(3),
        points=["mlp_out"],
        strengths=[0.5, 2],
        select_n=10,
        report_n=20,
        compare_modes=False,
        seed=7,
        temperature=0.5,
    )
    assert [arm.name for arm in spec.arms] == ["steered", "gone"]
    assert (spec.layers, spec.points) == ((0, 1, 2), (Point.MLP_OUT,))
    assert (spec.strengths, spec.select_n, spec.report_n) == ((0.5, 2.0), 10, 20)
    assert (spec.compare_modes, spec.seed) == (False, 7)
    assert spec.sampling == Sampling(temperature=0.5, max_tokens=0)


def test_all_that_can_not_be_is_told_at_once():
    with pytest.raises(InvalidRequest) as caught:
        make_sweep("a1", select_n=0, strengths=[0.0])
    assert {one.field for one in caught.value.violations} == {
        f"spec.sweep.{name}" for name in ("select_n", "arms", "strengths[0]")
    }
    with pytest.raises(InvalidRequest, match="'middle' is no point"):
        make_sweep("a1", steer.add("v"), points=["middle"])
