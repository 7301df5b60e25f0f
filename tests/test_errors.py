"""Violations become one error, whatever kinds they are of."""

import time

import pytest

from steer.errors import (
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    SteerError,
    Unavailable,
    Violation,
    Violations,
)


class Narrow(FailedPrecondition):
    """A precondition of its own."""


@pytest.mark.parametrize(
    ("kinds", "raised"),
    [
        ([NotFound, InvalidRequest], InvalidRequest),
        ([FailedPrecondition, NotFound], NotFound),
        ([Narrow], Narrow),
        ([Narrow, NotFound], NotFound),
        ([Unavailable], Unavailable),
        ([Unavailable, FailedPrecondition], FailedPrecondition),
    ],
)
def test_the_worst_kind_decides_and_all_violations_travel_with_it(kinds, raised):
    found = Violations()
    for index, kind in enumerate(kinds):
        found.add(f"field{index}", kind.__name__.upper(), "is wrong", kind)
    with pytest.raises(SteerError) as caught:
        found.raise_if_any()
    assert type(caught.value) is raised
    assert caught.value.reason == raised.__name__.upper()
    assert [one.field for one in caught.value.violations] == [
        f"field{i}" for i in range(len(kinds))
    ]


def test_what_another_check_said_is_recorded_below_the_field_or_where_it_was_written():
    def refused() -> int:
        raise NotFound("no", violations=[Violation("inner", "GONE", "is gone")])

    found = Violations()
    assert found.tried(lambda: 3, "a") == 3
    assert found.tried(refused, "a") is None
    assert found.tried(refused, "a", lambda field: f"b.{field}") is None
    error = found.error()
    assert type(error) is NotFound
    assert [one.field for one in error.violations] == ["a.inner", "b.inner"]


def test_very_many_violations_are_collected_in_linear_time():
    """A file of 8 MB can have so many tensors that none is what it should be."""
    found = Violations()
    began = time.process_time()
    for n in range(50_000):
        found.add(f"tensors[x.{n}]", "R", "m")
    assert time.process_time() - began < 5 and found.under("tensors[x.49999]")
    found.add("tensors[x.7].shape", "R", "follows from the first")
    found.add("tensors[x.7]s", "R", "m")
    error = found.error()
    assert error is not None and len(error.violations) == 50_001
