"""Gemma Scope, Gemma Scope 2 and Llama Scope, against their equations written out."""

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import ChoiceNeeded, Options, read
from steer.store import Architecture
from steer.types import Point, Site
from tests.formats import reference
from tests.formats.build import (
    D,
    gemma_arrays,
    gemma_scope,
    gemma_scope_2,
    linear_tensors,
    llama_scope,
    llama_scope_r1,
    normal,
    npz_bytes,
    source,
)

A = gemma_arrays()
X = normal(6, D, seed=8).astype("f8") * 3


def gemma_activations(x: np.ndarray) -> np.ndarray:
    pre = x @ A["W_enc"] + A["b_enc"]
    return (pre > A["threshold"]) * np.maximum(pre, 0)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("fortran", [False, True])
def test_gemma_scope(compressed, fortran):
    arrays = {name: np.asfortranarray(a) if fortran else a for name, a in A.items()}
    path = "gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71/params.npz"
    item = read(source({path: npz_bytes(compressed, **arrays)})).item
    np.testing.assert_allclose(reference.activations(item, X), gemma_activations(X), rtol=1e-6)
    assert item.site == Site(20) and item.card.model == "google/gemma-2-2b"
    assert item.spec.architecture is Architecture.JUMPRELU
    assert not item.spec.apply_b_dec_to_input


@pytest.mark.parametrize(
    ("label", "site"),
    [
        ("gemma-scope-9b-pt-mlp", Site(20, Point.MLP_OUT)),
        ("models--google--gemma-scope-9b-it-res/snapshots/abc", Site(20)),
        ("", Site(20)),
    ],
)
def test_gemma_scope_place_from_names(label, site):
    assert read(source(gemma_scope(), label)).item.site == site


def test_gemma_scope_without_names_needs_the_place():
    files = {"params.npz": gemma_scope()["layer_20/width_16k/average_l0_71/params.npz"]}
    with pytest.raises(InvalidRequest, match=r"options\.layer: is needed"):
        read(source(files))
    options = Options(layer=7, point=Point.MLP_OUT)
    assert read(source(files), options).item.site == Site(7, Point.MLP_OUT)


@pytest.mark.parametrize(("part", "says"), [("att", "heads"), ("transcoders", "behind a norm")])
def test_gemma_scope_of_other_places_is_refused(part, says):
    with pytest.raises(InvalidRequest, match=says):
        read(source(gemma_scope(), f"gemma-scope-2b-pt-{part}"))


def test_gemma_scope_of_the_embedding_is_scaled():
    item = read(
        source(gemma_scope("embedding/width_4k/average_l0_6"), "gemma-scope-2b-pt-res")
    ).item
    assert item.site == Site(0, Point.RESID_PRE)
    scaled = X * D**0.5  # What enters block 0 of Gemma.
    np.testing.assert_allclose(
        reference.activations(item, scaled), gemma_activations(X), rtol=1e-4, atol=1e-5
    )
    want = (gemma_activations(X) @ A["W_dec"] + A["b_dec"]) * D**0.5
    np.testing.assert_allclose(reference.output(item, scaled), want, rtol=1e-4, atol=1e-4)


def test_several_folders_need_a_choice():
    files = gemma_scope("layer_1/w") | gemma_scope("layer_2/w")
    with pytest.raises(ChoiceNeeded, match="layer_1/w, layer_2/w"):
        read(source(files))
    assert read(source(files), Options(choice="layer_2/w")).item.site == Site(2)


@pytest.mark.parametrize(
    ("point", "site"),
    [
        ("model.layers.7.output", Site(7)),
        ("model.layers.7.post_feedforward_layernorm.output", Site(7, Point.MLP_OUT)),
    ],
)
def test_gemma_scope_2(point, site):
    item = read(source(gemma_scope_2(point))).item
    assert item.site == site
    np.testing.assert_allclose(reference.activations(item, X), gemma_activations(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("model.layers.7.pre_feedforward_layernorm.output", "behind a norm"),
        ("model.layers.7.self_attn.o_proj.input", "inside the attention"),
    ],
)
def test_gemma_scope_2_of_other_places_is_refused(point, says):
    with pytest.raises(InvalidRequest, match=says):
        read(source(gemma_scope_2(point)))


def test_gemma_scope_2_transcoder_where_you_say_so():
    files = gemma_scope_2(
        "model.layers.7.pre_feedforward_layernorm.output",
        hf_hook_point_out="model.layers.7.post_feedforward_layernorm.output",
    )
    understood = read(source(files), Options(layer=7, point=Point.RESID_MID))
    assert understood.item.site_out == Site(7, Point.MLP_OUT)
    assert "because you say so" in understood.account.warnings[0]


def test_names_that_differ_in_case_alone_are_refused():
    files = {"layer_20/params.npz": npz_bytes(**A, w_enc=A["W_enc"] * 2)}
    with pytest.raises(InvalidRequest, match="is there as W_enc too"):
        read(source(files))


def test_llama_scope_folds_the_norm_and_scales_the_threshold():
    """Weights are of activations of norm sqrt(d), the threshold of those of the model."""
    item = read(source(llama_scope())).item
    t = linear_tensors()
    scale = D**0.5 / 6.25
    pre = X * scale @ t["encoder.weight"].T + t["encoder.bias"]
    want = (pre > 0.2 * scale) * np.maximum(pre, 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-5, atol=1e-6)
    out = (want @ t["decoder.weight"].T + t["decoder.bias"]) / scale
    np.testing.assert_allclose(reference.output(item, X), out, rtol=1e-4, atol=1e-4)


def test_llama_scope_r1_needs_the_scale():
    with pytest.raises(InvalidRequest, match=r"options\.scale"):
        read(source(llama_scope_r1()))
    item = read(source(llama_scope_r1()), Options(scale=0.5)).item
    t = linear_tensors()
    pre = X * 0.5 @ t["encoder.weight"].T + t["encoder.bias"]
    want = (pre > np.exp(normal(20, seed=5))) * np.maximum(pre, 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-5, atol=1e-6)
