"""Matrices that are read in pieces: every block of what is made of them is right."""

import numpy as np
import pytest

from steer.formats.matrix import Matrix

A, B = (np.random.default_rng(i).normal(size=(n, 4)).astype("f4") for i, n in ((0, 5), (1, 3)))
WHOLE = np.concatenate((A, -B))


@pytest.mark.parametrize("rows", [(0, 8), (0, 3), (4, 6), (5, 8), (6, 7), (5, 5)])
@pytest.mark.parametrize("columns", [(0, 4), (1, 2)])
def test_one_above_the_other(rows, columns):
    stacked = Matrix.of(A).above(Matrix.of(B).times(-1.0))
    assert stacked.shape == WHOLE.shape
    block = slice(*rows), slice(*columns)
    assert (stacked.block(*block) == WHOLE[block]).all()
    assert (stacked.T.block(*block[::-1]) == WHOLE[block].T).all()
    assert (np.concatenate([part for _, part in stacked.pieces()]) == WHOLE).all()
