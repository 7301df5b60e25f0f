"""The sampler: frequencies, filters against a slow reference, and rows that ignore each other."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from steer.engine.embedded.sampler import Draw, choose, uniforms
from steer.types import Sampling

VOCAB = 12


def draw(uniform: float = 0.5, banned: frozenset[int] = frozenset(), **fields: object) -> Draw:
    return Draw(Sampling(**({"temperature": 1.0} | fields)), uniform, banned, ())


def test_frequencies_are_those_of_the_softmax():
    """Chi-square over 20 000 uniform numbers, 11 degrees of freedom: 31.3 is the 0.1 % point."""
    n = 20_000
    logits = torch.randn(VOCAB, generator=torch.Generator().manual_seed(0))
    given = uniforms(seed=1, sample=0, count=n)
    rows = logits.expand(n, -1).contiguous()
    chosen = choose(rows, [draw(uniform=u, temperature=0.7) for u in given])
    found = torch.bincount(chosen, minlength=VOCAB).double()
    expected = torch.softmax(logits.double() / 0.7, -1) * n
    assert ((found - expected) ** 2 / expected).sum() < 31.3


def test_uniform_numbers_depend_on_seed_and_sample_alone():
    assert uniforms(3, 1, 5) == uniforms(3, 1, 9)[:5]
    keys = [(0, 0), (0, 1), (1, 0), (2**63, 0), (2**64 - 1, 0), (2**64 - 2, 0)]
    assert len({tuple(uniforms(*key, 4)) for key in keys}) == len(keys)
    drawn = np.array(uniforms(0, 0, 20_000))
    assert (0 <= drawn).all() and (drawn < 1).all()
    assert abs(drawn.mean() - 0.5) < 0.01


def kept(logits: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Probabilities after top_k, then top_p, then min_p, each from its definition."""
    scaled = logits.astype(np.float64) / sampling.temperature
    p = np.exp(scaled - scaled.max())
    p /= p.sum()
    order = sorted(range(VOCAB), key=lambda i: (-p[i], i))
    if sampling.top_k:
        p[order[sampling.top_k :]] = 0
        p /= p.sum()
    if sampling.top_p < 1:
        before = np.cumsum(p[order]) - p[order]
        p[[i for i, mass in zip(order, before, strict=True) if mass >= sampling.top_p]] = 0
    p[p < sampling.min_p * p.max()] = 0
    return p / p.sum()


filters = st.builds(
    Sampling,
    temperature=st.sampled_from([0.3, 1.0, 2.0]),
    top_k=st.integers(0, VOCAB + 3),
    top_p=st.sampled_from([1.0, 0.95, 0.7, 0.3, 1e-9]),
    min_p=st.sampled_from([0.0, 0.013, 0.21, 1.0]),
)
rows = st.lists(st.tuples(filters, st.integers(0, 99)), min_size=1, max_size=5)


def logits_of(seeds: list[int]) -> torch.Tensor:
    made = [np.random.default_rng(seed).standard_normal(VOCAB) * 2 for seed in seeds]
    return torch.tensor(np.array(made), dtype=torch.float32)


@settings(deadline=None, max_examples=80)
@given(rows=rows)
def test_filters_are_those_of_the_reference(rows):
    logits = logits_of([seed for _, seed in rows])
    probabilities = [kept(logits[i].numpy(), sampling) for i, (sampling, _) in enumerate(rows)]
    for uniform in (0.0, 0.123, 0.5, 0.87, 0.999):
        chosen = choose(logits, [Draw(s, uniform, frozenset(), ()) for s, _ in rows]).tolist()
        for token, p in zip(chosen, probabilities, strict=True):
            upper = p.cumsum()
            assert p[token] > 0
            assert upper[token] - p[token] - 1e-6 <= uniform <= upper[token] + 1e-6


@settings(deadline=None, max_examples=60)
@given(rows=rows, biased=st.integers(0, VOCAB - 1), banned=st.integers(0, VOCAB - 1))
def test_a_row_does_not_see_its_neighbours(rows, biased, banned):
    draws = [Draw(s, (i * 0.37) % 1, frozenset(), ()) for i, (s, _) in enumerate(rows)]
    draws += [
        draw(temperature=0.0),
        draw(logit_bias={biased: 50.0}),
        draw(banned=frozenset({banned})),
        Draw(Sampling(repetition_penalty=1.7), 0.2, frozenset(), (biased, banned)),
    ]
    logits = logits_of([*(seed for _, seed in rows), 1, 2, 3, 4])
    together = choose(logits, draws).tolist()
    alone = [int(choose(logits[i : i + 1], [one])) for i, one in enumerate(draws)]
    assert together == alone
    assert together[-4] == int(logits[-4].argmax())
    assert together[-3] == biased
    assert together[-2] != banned
