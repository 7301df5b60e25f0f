"""Violations become one error, whatever kinds they are of."""

import pytest

from steer.errors import (
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    SteerError,
    Unavailable,
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
