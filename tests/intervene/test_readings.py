"""What gates read, and when they open."""

import math

import pytest
import torch

from steer.intervene.readings import READINGS, cosine, is_open, probe

H = torch.tensor([[3.0, 4.0], [-6.0, 0.0], [0.0, 0.0]])
FIRST = torch.tensor([1.0, 0.0]).expand(3, -1)


def test_the_cosine_forgets_the_norm():
    none = torch.zeros(3, 0)
    assert cosine(H, FIRST, none).tolist() == pytest.approx([0.6, -1.0, 0.0])
    assert cosine(1e-20 * H, FIRST, none).tolist() == pytest.approx([0.6, -1.0, 0.0])


def test_a_probe_is_a_probability():
    found = probe(H, FIRST, torch.full((3, 1), -1.0)).tolist()
    assert found == pytest.approx([1 / (1 + math.exp(-x)) for x in (2.0, -7.0, -1.0)])
    assert probe(1e6 * H, FIRST, torch.zeros(3, 1)).tolist() == [1.0, 0.0, 0.5]


def test_a_feature_is_its_activation():
    params = torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(3, -1)
    assert READINGS["feature"](H, FIRST, params).tolist() == [4.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("reading", "below", "absolute", "opens"),
    [
        (0.6, False, False, True),
        (0.4, False, False, False),
        (0.6, True, False, False),
        (0.4, True, False, True),
        (-0.6, False, False, False),
        (-0.6, False, True, True),
        (-0.6, True, False, True),
        (-0.6, True, True, False),
        (0.5, False, False, False),  # the threshold is on neither side
        (0.5, True, False, False),
        (-0.5, False, True, False),
        (math.nan, False, False, False),
        (math.nan, True, True, False),
    ],
)
def test_a_gate_opens_strictly_on_its_side(reading, below, absolute, opens):
    flags = (torch.tensor([below]), torch.tensor([absolute]))
    assert is_open(torch.tensor([reading]), torch.tensor([0.5]), *flags).tolist() == [opens]
