import json

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import Options, read
from steer.types import Point, Site
from tests.formats import reference
from tests.formats.build import (
    QWEN_LABEL,
    D,
    fixture,
    gemma_arrays,
    goodfire,
    linear_tensors,
    normal,
    qwen_scope,
    source,
)

X = normal(6, D, seed=8).astype("f8") * 3


def test_goodfire():
    understood = read(source(goodfire()))
    item, t = understood.item, linear_tensors()
    want = np.maximum(X @ t["encoder.weight"].T + t["encoder.bias"], 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-6)
    out = want @ t["decoder.weight"].T + t["decoder.bias"]
    np.testing.assert_allclose(reference.output(item, X), out, rtol=1e-5)
    assert item.site == Site(19) and item.card.model == "meta-llama/Llama-3.1-8B-Instruct"


def test_qwen_scope():
    item, a = read(source(qwen_scope(), QWEN_LABEL)).item, gemma_arrays()
    assert (item.site, item.spec.k, item.card.model) == (Site(3), 4, "Qwen/Qwen3-1.7B-Base")
    pre = X @ a["W_enc"] + a["b_enc"]
    least = np.sort(pre, axis=1)[:, -4][:, None]
    want = (pre >= least) * np.maximum(pre, 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-6)


def test_qwen_scope_needs_k_where_no_name_has_it():
    with pytest.raises(InvalidRequest, match=r"options\.k: is needed"):
        read(source(qwen_scope()))
    assert read(source(qwen_scope()), Options(k=2)).item.spec.k == 2


def test_dictionary_learning_submodules():
    files = fixture("dictionary_learning/AutoEncoder")
    config = json.loads(files["config.json"])

    def site(**changes: object) -> Site:
        inner = {**config["trainer"], **changes}
        return read(
            source({**files, "config.json": json.dumps({"trainer": inner}).encode()})
        ).item.site

    assert site(submodule_name="mlp_out_layer_3") == Site(3, Point.MLP_OUT)
    assert site(submodule_name=None) == Site(3)
    with pytest.raises(InvalidRequest, match="'transcoder'"):
        site(submodule_name="transcoder")
    with pytest.raises(InvalidRequest, match="dict_class"):
        site(dict_class="CrossCoder")
