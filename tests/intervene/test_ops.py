"""The algebra of the ops."""

import pytest
import torch

from steer.intervene.ops import OPS, add, keep_norm, project

N, D = 16, 24
INF = float("inf")


@pytest.fixture
def h() -> torch.Tensor:
    return torch.randn(N, D, generator=torch.Generator().manual_seed(0)) * 5


@pytest.fixture
def v() -> torch.Tensor:
    draw = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
    return draw / draw.norm(dim=-1, keepdim=True)


def params(*values: float) -> torch.Tensor:
    return torch.tensor([values]).expand(N, -1)


def along(h: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return (h * v).sum(-1)


def test_add_moves_by_the_strength_and_zero_leaves_every_bit(h, v):
    torch.testing.assert_close(add(h, v, params(3.0)) - h, 3 * v, atol=1e-5, rtol=0)
    assert torch.equal(add(h, v, params(0.0)), h)
    torch.testing.assert_close(add(add(h, v, params(2.0)), v, params(-2.0)), h)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (2.0, 2.0), (-1.0, 1.0), (1.0, INF)])
def test_project_twice_is_once(h, v, low, high):
    once = project(h, v, params(1.0, low, high))
    torch.testing.assert_close(project(once, v, params(1.0, low, high)), once, atol=1e-5, rtol=0)
    inside = along(once, v)
    assert (inside >= low - 1e-5).all() and (inside <= high + 1e-5).all()
    rest = h - along(h, v)[:, None] * v
    torch.testing.assert_close(once - inside[:, None] * v, rest, atol=1e-5, rtol=0)


def test_ablation_leaves_nothing_along_the_direction(h, v):
    assert along(project(h, v, params(1.0, 0.0, 0.0)), v).abs().max() < 1e-5


def test_half_a_projection_goes_half_the_way(h, v):
    half = project(h, v, params(0.5, 0.0, 0.0))
    torch.testing.assert_close(along(half, v), along(h, v) / 2, atol=1e-5, rtol=0)
    assert torch.equal(project(h, v, params(0.0, 0.0, 0.0)), h)


def test_a_clamp_leaves_what_is_inside_bit_for_bit(h, v):
    component = along(h, v)
    low, high = component.median().item(), INF
    inside = (component >= low) & (component <= high)
    clamped = project(h, v, params(1.0, low, high))
    assert 0 < inside.sum() < N
    assert torch.equal(clamped[inside], h[inside])
    assert not torch.equal(clamped[~inside], h[~inside])


def test_keep_norm_keeps_the_norm_and_the_new_direction(h, v):
    after = add(h, v, params(7.0))
    kept = keep_norm(h, after)
    torch.testing.assert_close(kept.norm(dim=-1), h.norm(dim=-1))
    cosine = torch.nn.functional.cosine_similarity(kept, after)
    torch.testing.assert_close(cosine, torch.ones(N))
    assert not keep_norm(h, torch.zeros_like(h)).any()


def test_the_table_says_which_directions_are_normed():
    assert {name: spec.unit for name, spec in OPS.items()} == {"add": False, "project": True}
