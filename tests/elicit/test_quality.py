"""How reliable a direction is: on data where that is known."""

import numpy as np
import pytest

from steer.elicit.directions import Classes, direction
from steer.elicit.quality import Quality, cosine, quality

D = 200


def paired(gap: float, count: int, against: int = 0, seed: int = 0) -> Classes:
    """Pairs whose difference is ``gap`` along the first axis and noise of size 1 along others; the
    first ``against`` of them point the other way."""
    chance = np.random.default_rng(seed)
    down = chance.standard_normal((count, D))
    noise = chance.standard_normal((count, D)) / D**0.5
    noise[:, 0] = gap
    noise[:against, 0] = -gap
    up = down + noise
    return Classes(up.astype(np.float32), down.astype(np.float32), noise.astype(np.float32))


def halves(data: Classes) -> list[Classes]:
    parts = [(data.positive[i::2], data.negative[i::2]) for i in (0, 1)]
    pairs = [None if data.pairs is None else data.pairs[i::2] for i in (0, 1)]
    return [Classes(*part, pair) for part, pair in zip(parts, pairs, strict=True)]


def judged(data: Classes) -> Quality:
    method = "difference_of_means"
    return quality(method, direction(method, data), data, halves(data))


def test_a_direction_that_is_there_is_reliable():
    told = judged(paired(3.0, 60))
    assert told.split_half_cosine == pytest.approx(1, abs=0.02)
    assert told.steerability == pytest.approx(1, abs=0.05)
    assert told.anti_steerable == 0
    assert told.explained_variance == pytest.approx(0.9, abs=0.02)


def test_noise_agrees_with_itself_only_where_it_was_seen():
    """In 200 dimensions every item of 20 agrees with the mean it is part of; half do not with the
    mean of the others."""
    data = paired(0.0, 20)
    made = direction("difference_of_means", data)
    assert data.pairs is not None and ((data.pairs @ made) > 0).all()
    told = judged(data)
    assert told.split_half_cosine is not None and abs(told.split_half_cosine) < 0.4
    assert told.anti_steerable is not None and 0.2 < told.anti_steerable < 0.8


def test_items_that_point_the_other_way_are_counted():
    assert judged(paired(3.0, 80, against=8)).anti_steerable == pytest.approx(0.1)


def test_single_items_lie_towards_their_class():
    data = paired(30.0, 40)
    told = judged(Classes(data.positive, data.negative))
    assert told.steerability == pytest.approx(1, abs=0.05)
    assert told.anti_steerable == 0
    assert told.separation == pytest.approx(30, rel=0.3)


def test_of_one_item_little_can_be_said():
    data = paired(3.0, 1)
    told = quality(
        "difference_of_means", direction("difference_of_means", data), data, halves(data)
    )
    assert told.to_dict().keys() == {"explained_variance"}


def test_cosine_of_nothing_is_zero():
    assert cosine(np.zeros(3), np.ones(3)) == 0
