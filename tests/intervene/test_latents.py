"""Activations of latents: one formula with four numbers for every architecture."""

import numpy as np
import pytest
import torch

from steer.intervene.latents import activation, best, gated, normalise
from steer.store import Architecture, Normalize
from steer.types import Site
from tests.engine import items
from tests.engine.formulas import Coder

N, D = 30, items.WIDTH
H = torch.randn(N, D, generator=torch.Generator().manual_seed(0)) * 4 + 1
NEVER = (0.0, 1.0, 0.0, float("inf"))
ALWAYS = (0.0, 1.0, 0.0, float("-inf"))


@pytest.mark.parametrize("how", Normalize)
@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("architecture", [a for a in Architecture if a is not Architecture.TOPK])
def test_a_latent_alone_is_that_of_the_whole_code(architecture, how, subtract):
    dictionary = items.dictionary(architecture, Site(1), 3, how, subtract)
    code = Coder(dictionary).encode(H.double()).float()
    rows = dictionary.features(range(items.D_SAE))
    numbers = np.stack([rows.gate_bias, rows.magnitude_scale, rows.magnitude_bias, rows.threshold])
    x, _ = normalise(H, how.value)
    for index in range(items.D_SAE):
        encoder = torch.from_numpy(rows.encoder[index]).expand(N, -1)
        params = torch.from_numpy(numbers[:, index]).expand(N, -1)
        found = activation(x, encoder, params)
        torch.testing.assert_close(found, code[:, index], rtol=1e-5, atol=1e-5)
    assert 0.05 < (code > 0).float().mean() < 0.95


def test_normalised_activations_have_the_moments_they_should_and_come_back():
    x, scale = normalise(H, "layer_norm")
    assert scale is not None
    torch.testing.assert_close(x.mean(-1), torch.zeros(N), rtol=0, atol=1e-5)
    torch.testing.assert_close(x.var(-1, correction=1), torch.ones(N), rtol=1e-4, atol=0)
    torch.testing.assert_close(x * scale, H - H.mean(-1, keepdim=True), rtol=1e-4, atol=1e-5)
    x, scale = normalise(H, "constant_norm")
    assert scale is not None
    torch.testing.assert_close(x.norm(dim=-1), torch.full((N,), D**0.5))
    torch.testing.assert_close(x * scale, H)
    x, scale = normalise(H, "none")
    assert x is H and scale is None


@pytest.mark.parametrize("how", Normalize)
def test_nothing_is_normalised_to_nothing(how):
    x, _ = normalise(torch.zeros(2, D), how.value)
    assert torch.equal(x, torch.zeros(2, D))


def test_the_threshold_itself_is_not_enough():
    """Strictly above it: the activation there is a jump, from 0 to the whole."""
    pre = torch.tensor([1.0, 1.5, 2.0, 2.0001, 3.0])
    params = torch.tensor([0.5, 1.0, 0.5, 2.5]).expand(5, -1)
    assert gated(pre, params).tolist() == [0, 0, 0, pytest.approx(2.5001), 3.5]


def test_gate_and_magnitude_are_two_paths():
    pre = torch.tensor([-2.0, -1.0, 1.0, 2.0])
    params = torch.tensor([1.5, 2.0, 3.0, 0.0]).expand(4, -1)  # open above -1.5, 2·pre + 3
    assert gated(pre, params).tolist() == [0, 1, 5, 7]
    negative = torch.tensor([9.0, -1.0, 0.0, 0.0]).expand(4, -1)  # open, but below nothing
    assert gated(pre, negative).tolist() == [2, 1, 0, 0]


def test_infinite_thresholds_are_never_and_always():
    pre = torch.tensor([-1.0, 0.0, 2.0])
    assert gated(pre, torch.tensor(NEVER).expand(3, -1)).tolist() == [0, 0, 0]
    assert gated(pre, torch.tensor(ALWAYS).expand(3, -1)).tolist() == [0, 0, 2]


@pytest.mark.parametrize("k", [1, 3, 8, 20])
def test_the_best_k_are_kept_whatever_their_sign(k):
    pre = torch.randn(50, 8, generator=torch.Generator().manual_seed(1)) - 1
    kept = best(pre, k)
    assert kept.sum(-1).tolist() == [min(k, 8)] * 50
    lowest = torch.where(kept, pre, torch.inf).amin(-1)
    assert (torch.where(kept, -torch.inf, pre).amax(-1) < lowest).all()


def test_of_equals_some_are_kept():
    assert best(torch.zeros(3, 8), 2).sum(-1).tolist() == [2, 2, 2]
