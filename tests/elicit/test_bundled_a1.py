"""The bundled vectors of A1: what their files hold beside the directions."""

import numpy as np

from steer.elicit.bundled_a1 import AT
from steer.store import Store, Vector, bundled


def test_a_difference_of_means_ships_with_the_spread_within_its_classes() -> None:
    stored = Store(bundled()).get("a1-dom")
    assert isinstance(stored, Vector) and set(stored.spreads) == {AT}
    assert stored.spreads[AT].shape[1] == stored.card.d_model
    spectrum = np.linalg.svd(stored.spreads[AT], compute_uv=False)
    assert spectrum[0] > 3 * spectrum[10]  # nothing like an isotropic null
