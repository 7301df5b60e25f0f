"""Features of a dictionary against each architecture written out in float64."""

from itertools import product

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.store import Architecture, Store
from tests.store import items

CHOSEN = (0, 7, 7, 23, 4)


def reference(dictionary, x):
    """Activations of all features for x of shape (n, d_model), as the papers write them."""
    t = {name: array.astype("f8") for name, array in dictionary.tensors.items()}
    spec = dictionary.spec
    if spec.apply_b_dec_to_input:
        x = x - t["decoder_bias"]
    pre = x @ t["encoder"].T
    match spec.architecture:
        case Architecture.STANDARD:
            return np.maximum(pre + t["encoder_bias"], 0)
        case Architecture.JUMPRELU:
            hidden = pre + t["encoder_bias"]
            return np.where(hidden > t["threshold"], np.maximum(hidden, 0), 0)
        case Architecture.GATED:
            magnitude = pre * np.exp(t["magnitude_log_scale"]) + t["magnitude_bias"]
            return np.where(pre + t["gate_bias"] > 0, np.maximum(magnitude, 0), 0)
        case Architecture.TOPK:
            hidden = pre + t["encoder_bias"]
            out = np.zeros_like(hidden)
            for row, values in enumerate(hidden):
                best = np.argsort(-values)[: spec.k]
                out[row, best] = np.maximum(values[best], 0)
            return out


def by_rows(dictionary, x):
    """The formula of FeatureRows; the edge of topk comes from a second one of all rows."""
    rows, k = dictionary.features(CHOSEN), dictionary.spec.k
    threshold = rows.threshold
    if k is not None:
        full = dictionary.features(range(dictionary.spec.d_sae))
        every = np.sort(x @ full.encoder.T + full.gate_bias, axis=1)
        middle = (every[:, -k] + every[:, -k - 1]) / 2
        threshold = np.maximum(threshold, middle[:, None])
    pre = x @ rows.encoder.T
    magnitude = pre * rows.magnitude_scale + rows.magnitude_bias
    return np.where(pre + rows.gate_bias > threshold, np.maximum(magnitude, 0), 0)


@pytest.mark.parametrize(("architecture", "subtract"), [*product(Architecture, (False, True))])
def test_rows_of_a_few_features_activate_as_the_whole_does(architecture, subtract, tmp_path):
    made = items.dictionary(architecture, subtract=subtract, seed=3)
    dictionary = Store(tmp_path).put(made)
    x = np.random.default_rng(1).standard_normal((64, items.D))
    want = reference(dictionary, x)[:, CHOSEN]
    assert by_rows(dictionary, x) == pytest.approx(want, abs=1e-5)
    assert 0.05 < (want > 0).mean() < 0.95
    rows = dictionary.features(CHOSEN)
    assert rows.indices == CHOSEN
    assert np.array_equal(rows.decoder, dictionary.tensors["decoder"][list(CHOSEN)])
    for name in ("encoder", "decoder", "gate_bias", "magnitude_scale", "threshold"):
        assert getattr(rows, name).dtype == np.float32 and getattr(rows, name).flags.writeable


def test_a_feature_at_its_threshold_is_not_active():
    made = items.dictionary(Architecture.JUMPRELU)
    made.tensors["threshold"][:] = made.tensors["encoder_bias"][:] = 0.25
    assert not by_rows(made, np.zeros((1, items.D))).any()
    made.tensors["threshold"][:] = np.nextafter(np.float32(0.25), np.float32(0))
    assert (by_rows(made, np.zeros((1, items.D))) == 0.25).all()


def test_features_that_are_not_there_are_all_named():
    with pytest.raises(InvalidRequest, match=r"features 0 to 23, not 24, -1") as caught:
        items.dictionary().features((3, 24, -1))
    assert caught.value.reason == "FEATURE_OUT_OF_RANGE"
    assert items.dictionary().features(()).encoder.shape == (0, items.D)
