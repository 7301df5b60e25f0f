import json

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import ChoiceNeeded, Options, read
from steer.store import Architecture
from steer.types import Point, Site
from tests.formats import reference
from tests.formats.build import D, fixture, gemma_arrays, normal, saelens_5, source

X = normal(6, D, seed=8).astype("f8") * 3
A = gemma_arrays()


def changed(name: str, **changes: object) -> dict[str, bytes]:
    files = fixture(f"saelens/{name}")
    config = json.loads(files["cfg.json"])
    for key, value in changes.items():
        (config["metadata"] if key.startswith("h") else config)[key] = value
    return {**files, "cfg.json": json.dumps(config).encode()}


def test_version_5_has_its_own_defaults():
    understood = read(source(saelens_5()))
    item = understood.item
    assert item.site == Site(8, Point.RESID_PRE) and item.card.model == "gpt2-small"
    assert item.spec.apply_b_dec_to_input and "before 6" in understood.account.writer
    want = np.maximum((X - A["b_dec"]) @ A["W_enc"] + A["b_enc"], 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-4, atol=1e-5)


def test_version_5_topk():
    item = read(source(saelens_5(activation_fn_str="topk", activation_fn_kwargs={"k": 3}))).item
    assert (item.spec.architecture, item.spec.k) == (Architecture.TOPK, 3)


def test_version_5_scaled_input_was_a_flag():
    with pytest.raises(InvalidRequest, match=r"options\.scale"):
        read(source(saelens_5(normalize_activations=True)))
    item = read(source(saelens_5(normalize_activations=True)), Options(scale=0.5)).item
    want = np.maximum((X * 0.5 - A["b_dec"]) @ A["W_enc"] + A["b_enc"], 0)
    np.testing.assert_allclose(reference.activations(item, X), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reshape_activations": "hook_z"}, "heads"),
        ({"normalize_activations": "covariance_whitening"}, "needs more than a scale"),
        ({"architecture": "temporal"}, "other positions"),
        ({"architecture": "new"}, "is none of"),
        ({"hook_name": "blocks.3.attn.hook_z"}, "inside the attention"),
        ({"hook_name": "blocks.3.ln2.hook_normalized"}, "behind a norm"),
        ({"hook_name": "blocks.3.mlp.hook_in"}, "behind a norm"),
        ({"d_in": D + 1}, "the configuration says"),
        ({"d_sae": 0}, "want at least 1"),
        ({"d_in": "12"}, "want int"),
        ({"d_sae": True}, "want int"),
    ],
)
def test_what_is_not_read_says_why(changes, says):
    with pytest.raises(InvalidRequest, match=says):
        read(source(changed("standard", **changes)))


def test_everything_wrong_at_once():
    files = changed("standard", normalize_activations="new", hook_name="nowhere", d_in=0)
    with pytest.raises(InvalidRequest) as caught:
        read(source(files))
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {
        "cfg.json.normalize_activations",
        "cfg.json.metadata.hook_name",
        "cfg.json.d_in",
    }


def test_the_normed_input_of_gemmas_mlp_is_not_the_stream():
    files = changed("transcoder", hf_hook_name="model.layers.3.pre_feedforward_layernorm.output")
    with pytest.raises(InvalidRequest, match="behind a norm"):
        read(source(files))


def test_a_name_that_is_no_point_can_be_overruled():
    files = changed("standard", hook_name="blocks.3.ln2.hook_normalized")
    understood = read(source(files), Options(layer=3, point=Point.RESID_MID))
    assert understood.item.site == Site(3, Point.RESID_MID)
    assert "because you say so" in understood.account.warnings[0]


def test_a_known_point_can_not_be_overruled():
    with pytest.raises(InvalidRequest, match=r"options\.layer"):
        read(source(fixture("saelens/standard")), Options(layer=3, point=Point.RESID_MID))


def test_thresholds_before_the_fix_are_warned_of():
    files = fixture("saelens/batchtopk-inference")
    config = json.loads(files["cfg.json"])
    assert not read(source(files)).account.warnings
    config["metadata"]["sae_lens_version"] = "6.13.0"
    files["cfg.json"] = json.dumps(config).encode()
    assert "#763" in read(source(files)).account.warnings[0]


def test_folders_inside_are_chosen():
    files = {
        f"{name}/{path}": data
        for name in ("standard", "gated")
        for path, data in fixture(f"saelens/{name}").items()
    }
    with pytest.raises(ChoiceNeeded, match="gated, standard"):
        read(source(files))
    item = read(source(files), Options(choice="gated")).item
    assert item.spec.architecture is Architecture.GATED
