import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.measure.gain import GainRecord, arm_gains, cross_entropy, item_gain, proposition_1

LOGPROB = st.floats(-60, 0)


@given(LOGPROB, st.lists(LOGPROB, min_size=1, max_size=16))
def test_mean_mixture_and_best_are_in_order(nothink: float, think: list[float]) -> None:
    """RLP's proposition 2: the mean over traces is a lower bound of their mixture."""
    found = item_gain(nothink, think)
    slack = 1e-9
    assert found.mean <= found.mixture + slack
    assert found.mixture <= found.best + slack
    assert found.best - found.mixture <= math.log(len(think)) + slack
    direct = np.log(np.mean(np.exp(think))) - nothink
    assert found.mixture == pytest.approx(direct, abs=1e-6)


def test_one_trace_is_all_three() -> None:
    found = item_gain(math.log(0.1), [math.log(0.98)])
    assert found.mean == found.best == pytest.approx(found.mixture)
    assert found.mean == pytest.approx(2.28, abs=5e-3)


def test_no_trace() -> None:
    with pytest.raises(ValueError, match="trace"):
        item_gain(-1.0, [])


def test_units_and_intervals() -> None:
    """Ten answers, a trace that settles them: ln 10 nats over 4 tokens, log2 10 bits."""
    rows = [GainRecord("own", str(i), "", 4, -math.log(10), (0.0, 0.0)) for i in range(9)]
    rows += [GainRecord("swapped", str(i), "", 4, -math.log(10), (-9.0 - i,)) for i in range(9)]
    own, swapped = arm_gains(rows)
    assert (own.arm, own.items, own.traces) == ("own", 9, 2)
    assert own.mean.nats_per_token.value == pytest.approx(math.log(10) / 4)
    assert own.mean.bits_per_answer.value == pytest.approx(math.log2(10))
    assert own.best == own.mixture == own.mean
    low, high = swapped.mean.bits_per_answer.low, swapped.mean.bits_per_answer.high
    assert low is not None and high is not None
    assert low < swapped.mean.bits_per_answer.value < high < 0


def test_templates_are_clusters() -> None:
    values = (-1.0, -1.1, -5.0, -5.2, -3.0, -3.1)
    alone = [GainRecord("a", str(i), "", 1, 0.0, (one,)) for i, one in enumerate(values)]
    together = [
        GainRecord("a", str(i), str(i // 2), 1, 0.0, (one,)) for i, one in enumerate(values)
    ]
    (narrow,), (wide,) = arm_gains(alone), arm_gains(together)
    assert narrow.mean.nats_per_token.low is not None and wide.mean.nats_per_token.low is not None
    assert wide.mean.nats_per_token.low < narrow.mean.nats_per_token.low - 1


def test_an_item_without_tokens() -> None:
    with pytest.raises(ValueError, match="'a'"):
        arm_gains([GainRecord("a", "1", "", 0, 0.0, (0.0,))])


def test_a_record_survives_json() -> None:
    row = GainRecord("a", "1", "t", 3, -2.5, (-1.0, -2.0))
    assert GainRecord.from_dict(json.loads(json.dumps(row.to_dict()))) == row
    with pytest.raises(ValueError, match="'arm'"):
        GainRecord.from_dict({})


WEIGHTS = st.lists(st.floats(0.01, 1), min_size=2, max_size=30)


@given(st.data())
def test_proposition_1_is_an_identity(data: st.DataObject) -> None:
    target = data.draw(WEIGHTS)
    others = st.lists(st.floats(0.001, 1), min_size=len(target), max_size=len(target))
    p, think, nothink = (
        np.array(one) / np.sum(one) for one in (target, data.draw(others), data.draw(others))
    )
    left, right = proposition_1(p.tolist(), np.log(think).tolist(), np.log(nothink).tolist())
    assert left == pytest.approx(right, abs=1e-9)
    assert left == pytest.approx(float(p @ np.log(think / nothink)), abs=1e-9)


def test_an_answer_that_can_not_be_costs_nothing_if_it_never_is() -> None:
    assert cross_entropy([1.0, 0.0], [math.log(0.5), -math.inf]) == pytest.approx(math.log(2))
