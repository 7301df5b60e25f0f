import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.errors import InvalidRequest
from steer.measure.causal import CausalUse, area_over_curve
from steer.measure.records import MeasuredArm, Record, Role
from steer.measure.summary import summarise
from tests.measure.made import record

ARMS = [
    MeasuredArm("base", Role.BASELINE),
    MeasuredArm("v", Role.STEERED),
    MeasuredArm("swapped", Role.SWAPPED),
    *(MeasuredArm(f"kept-{kept}", Role.TRUNCATED, kept) for kept in (0.0, 0.25, 0.5, 0.75)),
]
ITEMS = 20


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ({0.0: 1.0}, 0.0),
        ({0.0: 0.0}, 0.5),
        ({0.0: 0.0, 0.5: 0.0}, 0.75),
        ({0.0: 0.0, 0.25: 0.0, 0.5: 0.0, 0.75: 0.0}, 0.875),
        ({0.0: 0.0, 0.25: 1.0, 0.5: 1.0, 0.75: 1.0, 1.0: 1.0}, 0.125),
        ({0.5: 0.0}, 0.5),
    ],
)
def test_area_over_the_curve(points: dict[float, float], area: float) -> None:
    assert area_over_curve(points) == pytest.approx(area)


@given(st.dictionaries(st.floats(0, 0.9), st.floats(0, 1), min_size=1))
def test_area_is_a_share(points: dict[float, float]) -> None:
    assert -1e-9 <= area_over_curve(points) <= 1 + 1e-9


@pytest.mark.parametrize("points", [{}, {1.0: 1.0}, {-0.1: 0.2}, {0.5: 0.2, 1.5: 0.2}])
def test_fractions_that_say_nothing(points: dict[float, float]) -> None:
    with pytest.raises(ValueError, match="fractions"):
        area_over_curve(points)


def use(settled: float) -> CausalUse:
    """Of a steered arm that is always right, and knows the answer once ``settled`` of the trace is
    there; with another item's trace it is wrong, and follows that."""
    rows: list[Record] = []
    for i in range(ITEMS):
        rows += [record("base", str(i), False), record("v", str(i), True)]
        rows.append(record("swapped", str(i), False, trace_follows=True))
        rows += [record(arm.name, str(i), (arm.value or 0) >= settled) for arm in ARMS[3:]]
    (effect,) = summarise(rows, ARMS, draws=500).effects
    return effect.causal


@pytest.mark.parametrize(
    ("settled", "area"), [(0.0, 0.0), (0.25, 0.125), (0.75, 0.625), (1.0, 0.875)]
)
def test_how_early_the_answer_is_settled(settled: float, area: float) -> None:
    found = use(settled)
    assert [one.fraction for one in found.kept] == [0, 0.25, 0.5, 0.75]
    assert [one.agreement for one in found.kept] == [
        float(x >= settled) for x in (0, 0.25, 0.5, 0.75)
    ]
    assert found.area is not None and found.area.low is not None and found.area.high is not None
    assert found.area.value == pytest.approx(area)
    assert found.area.low <= area <= found.area.high


def test_a_swapped_trace_is_followed() -> None:
    (found,) = use(1.0).forced
    assert (found.arm, found.role) == ("swapped", Role.SWAPPED)
    assert found.accuracy.value == 0
    assert found.against_own.value == -1
    assert found.follows is not None and found.follows.value == 1


def test_agreement_is_with_the_own_answer_right_or_wrong() -> None:
    rows = [record(name, str(i), False, answer=f"x{i}") for i in range(8) for name in ("base", "v")]
    rows += [record("kept-0.5", str(i), False, answer=f"x{i}") for i in range(8)]
    arms = [one for one in ARMS if one.name in ("base", "v", "kept-0.5")]
    (effect,) = summarise(rows, arms, draws=100).effects
    assert [one.agreement for one in effect.causal.kept] == [1.0]


def test_an_answer_that_never_came_agrees_with_nothing() -> None:
    rows = [record(name, str(i), False, answer=None) for i in range(8) for name in ("base", "v")]
    rows += [record("kept-0.5", str(i), False, answer=None) for i in range(8)]
    arms = [one for one in ARMS if one.name in ("base", "v", "kept-0.5")]
    (effect,) = summarise(rows, arms, draws=100).effects
    assert effect.causal.kept == ()
    assert effect.causal.area is None


def test_without_such_arms_there_is_nothing() -> None:
    rows = [record(name, str(i), i % 2 == 0) for i in range(8) for name in ("base", "v")]
    (effect,) = summarise(rows, ARMS[:2], draws=100).effects
    assert effect.causal == CausalUse((), (), None)


def test_a_truncated_arm_must_say_how_much_is_kept() -> None:
    with pytest.raises(InvalidRequest, match=r"arms\[2\].value"):
        summarise([], [*ARMS[:2], MeasuredArm("t", Role.TRUNCATED)])
