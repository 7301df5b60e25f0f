"""The bundled vectors of A1: what their files hold beside the directions."""

import numpy as np
import pytest

from steer.elicit.bundled_a1 import AT
from steer.store import Store, Vector, bundled


def test_a_difference_of_means_ships_with_what_is_within_its_classes() -> None:
    stored = Store(bundled()).get("a1-dom")
    assert isinstance(stored, Vector) and set(stored.classes) == {AT}
    factor, shuffles = stored.classes[AT].factor, stored.classes[AT].shuffles
    assert factor.shape[1] == stored.card.d_model
    spectrum = np.linalg.svd(factor, compute_uv=False)
    assert spectrum[0] > 3 * spectrum[10]  # nothing like an isotropic null
    assert shuffles.shape == (20, stored.card.d_model)
    # The mean difference of halves of n texts has four n-ths of the covariance.
    energy = (shuffles.astype(float) ** 2).sum(1).mean()
    assert energy == pytest.approx(4 / 2000 * (factor.astype(float) ** 2).sum(), rel=0.3)
