"""The algebra of the ops: every one gives the change of h."""

import pytest
import torch

from steer.intervene.ops import OPS, add, feature, keep_norm, low_rank, project, replace, rotate

N, D = 16, 24
INF = float("inf")
ALWAYS = (0.0, 1.0, 0.0, -INF)  # latent parameters: active whatever h is, a = relu(h·e)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def h() -> torch.Tensor:
    return normal(0, N, D) * 5


@pytest.fixture
def v() -> torch.Tensor:
    draw = normal(1, N, D)
    return draw / draw.norm(dim=-1, keepdim=True)


def params(*values: float) -> torch.Tensor:
    return torch.tensor([values]).expand(N, -1)


def one(v: torch.Tensor) -> torch.Tensor:
    return v[:, None]


def two(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.stack([a, b], 1)


def along(h: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return (h * v).sum(-1)


def close(a: torch.Tensor, b: torch.Tensor, atol: float = 1e-5) -> None:
    torch.testing.assert_close(a, b, atol=atol, rtol=0)


@pytest.mark.parametrize("name", OPS)
def test_a_zero_coefficient_changes_no_bit(name, h, v):
    numbers = {
        "add": (),
        "project": (0.0, 0.0),
        "rotate": (),
        "feature": (3.0, -1.0, *ALWAYS),
        "low_rank": (2.0,),
        "replace": (),
    }[name]
    rows = two(v, v) if name in ("feature", "low_rank") else one(v)
    assert torch.equal(h + OPS[name](h, rows, params(0.0, *numbers)), h)


def test_add_moves_by_the_strength(h, v):
    close(add(h, one(v), params(3.0)), 3 * v)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (2.0, 2.0), (-1.0, 1.0), (1.0, INF)])
def test_project_twice_is_once(h, v, low, high):
    once = h + project(h, one(v), params(1.0, low, high))
    close(once + project(once, one(v), params(1.0, low, high)), once)
    inside = along(once, v)
    assert (inside >= low - 1e-5).all() and (inside <= high + 1e-5).all()
    close(once - inside[:, None] * v, h - along(h, v)[:, None] * v)


def test_ablation_leaves_nothing_along_the_direction(h, v):
    assert along(h + project(h, one(v), params(1.0, 0.0, 0.0)), v).abs().max() < 1e-5


def test_half_a_projection_goes_half_the_way(h, v):
    half = h + project(h, one(v), params(0.5, 0.0, 0.0))
    close(along(half, v), along(h, v) / 2)


def test_a_clamp_leaves_what_is_inside_bit_for_bit(h, v):
    component = along(h, v)
    low, high = component.median().item(), INF
    inside = (component >= low) & (component <= high)
    clamped = h + project(h, one(v), params(1.0, low, high))
    assert 0 < inside.sum() < N
    assert torch.equal(clamped[inside], h[inside])
    assert not torch.equal(clamped[~inside], h[~inside])


def angle(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    cosine = torch.nn.functional.cosine_similarity(a.double(), b.double())
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


@pytest.mark.parametrize("degrees", [-90.0, -20.0, 15.0, 60.0])
def test_rotate_turns_by_the_angle_towards_the_direction_and_keeps_the_norm(h, v, degrees):
    turned = h + rotate(h, one(v), params(degrees))
    close(turned.norm(dim=-1), h.norm(dim=-1), atol=1e-4)
    close(angle(turned, h), torch.full((N,), abs(degrees), dtype=torch.float64), atol=1e-2)
    start = angle(h, v)
    small = abs(degrees) < start.min() and abs(degrees) < (180 - start).min()
    if small:
        close(angle(turned, v), start - degrees, atol=1e-2)


def test_rotate_stays_in_the_plane_and_there_and_back_is_nothing(h, v):
    turned = h + rotate(h, one(v), params(25.0))
    basis, _ = torch.linalg.qr(torch.stack([h, v], -1))
    inside = (basis @ (basis.transpose(1, 2) @ turned[:, :, None]))[:, :, 0]
    close(inside, turned, atol=1e-4)
    close(turned + rotate(turned, one(v), params(-25.0)), h, atol=1e-4)


def test_rotate_leaves_what_is_parallel(v):
    assert not rotate(3 * v, one(v), params(40.0)).any()
    assert not rotate(torch.zeros_like(v), one(v), params(40.0)).any()


def test_feature_moves_a_latent_to_its_target(h, v):
    a = along(h, v).relu()
    for alpha, beta, target in ((2.5, -1.0, torch.full((N,), 2.5)), (0.0, 1.0, 2 * a)):
        moved = h + feature(h, two(v, v), params(1.0, alpha, beta, *ALWAYS))
        active = along(h, v) > 0
        close(along(moved, v)[active], target[active], atol=1e-4)
    assert not feature(h, two(v, v), params(1.0, 0.0, 2.0, 0.0, 1.0, 0.0, INF)).any()


def test_low_rank_is_loreft(h):
    r = torch.linalg.qr(normal(2, D, 3))[0].T
    w, b, s = normal(3, 3, D), normal(4, 3), 0.7
    changes = [
        low_rank(h, two((w - r)[i].expand(N, -1), r[i].expand(N, -1)), params(s, float(b[i])))
        for i in range(3)
    ]
    close(sum(changes), s * (h @ w.T + b - h @ r.T) @ r, atol=1e-4)


def test_replace_interpolates(h, v):
    close(h + replace(h, one(v), params(1.0)), v)
    close(h + replace(h, one(v), params(0.25)), 0.75 * h + 0.25 * v)


def test_keep_norm_keeps_the_norm_and_the_new_direction(h, v):
    after = h + 7 * v
    kept = keep_norm(h, after)
    torch.testing.assert_close(kept.norm(dim=-1), h.norm(dim=-1))
    close(torch.nn.functional.cosine_similarity(kept, after), torch.ones(N))
    assert not keep_norm(h, torch.zeros_like(h)).any()
    assert torch.equal(keep_norm(h, h), h)
