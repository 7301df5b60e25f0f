import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.measure.records import Record

_share = st.floats(0, 1)
_maybe = st.none() | st.booleans()
_nats = st.none() | st.floats(0, 50)


@given(
    st.builds(
        Record,
        distinct2=_share,
        trace_right=st.none() | _share,
        trace_complete=_maybe,
        mean_kl=_nats,
        first_kl=_nats,
        baseline_nats=_nats,
        mean_change=st.floats(0, 10),
    )
)
def test_a_record_survives_json(record: Record) -> None:
    assert Record.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="'arm'"):
        Record.from_dict({})
    with pytest.raises(ValueError, match="'colour'"):
        Record.from_dict({"colour": "red"})
