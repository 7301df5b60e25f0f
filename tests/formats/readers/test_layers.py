import io

import numpy as np
import pytest
import torch
from safetensors.numpy import save as save_safetensors
from safetensors.torch import save as save_torch_safetensors

from steer.errors import InvalidRequest
from steer.formats import ChoiceNeeded, Options, read
from steer.types import Point, Site
from tests.formats.build import D, hotwire, layers_npz, normal, source, torch_bytes

V = normal(D, seed=1)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("resid_post.3", Site(3)),
        ("attn_out.3", Site(3, Point.ATTN_OUT)),
        ("3", Site(3)),
        ("layer.3", Site(3)),
        ("layer_3", Site(3)),
        ("layers.3", Site(3)),
        ("L3", Site(3)),
        ("direction.3", Site(3)),
        ("steering_vector.layer_3", Site(3)),
        ("layer_3.vector", Site(3)),
        ("model.layers.3", Site(3)),
        ("model.layers.3.mlp", Site(3, Point.MLP_OUT)),
        ("transformer.h.3", Site(3)),
        ("gpt_neox.layers.3.attention", Site(3, Point.ATTN_OUT)),
        ("blocks.3.hook_resid_pre", Site(3, Point.RESID_PRE)),
        ("blocks.3.hook_resid_mid", Site(3, Point.RESID_MID)),
    ],
)
@pytest.mark.parametrize("kind", ["safetensors", "torch"])
def test_spellings(name, site, kind):
    if kind == "torch":
        files = {"v.pt": torch_bytes({name: torch.tensor(V)})}
    else:
        files = {"v.safetensors": save_safetensors({name: V})}
    item = read(source(files)).item
    assert item.card.sites == (site,) and (item.tensors[site] == V).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_dtypes_become_float32(dtype):
    tensor = torch.tensor(V).to(dtype)
    for files in (
        {"v.safetensors": save_torch_safetensors({"layer.1": tensor})},
        {"v.pt": torch_bytes({"layer.1": tensor})},
    ):
        item = read(source(files)).item
        assert (item.tensors[Site(1)] == tensor.float().numpy()).all()


def test_metadata_names_the_model():
    data = save_safetensors({"layer.1": V}, metadata={"model_id": "org/m"})
    assert read(source({"v.safetensors": data})).item.card.model == "org/m"


def test_two_spellings_of_one_layer_are_refused():
    data = save_safetensors({"layer.1": V, "layer_1": V})
    with pytest.raises(InvalidRequest, match="as another is"):
        read(source({"v.safetensors": data}))


def test_points_there_are_not_are_named():
    data = save_safetensors({"blocks.1.attn.hook_z": V, "blocks.2.ln2.hook_normalized": V})
    with pytest.raises(InvalidRequest) as caught:
        read(source({"v.safetensors": data}))
    assert [v.reason for v in caught.value.violations] == ["NO_SUCH_POINT"] * 2


def test_hotwire_folder_needs_a_choice_and_brings_its_norms():
    with pytest.raises(ChoiceNeeded) as caught:
        read(source(hotwire()))
    assert caught.value.choices == ("calm", "formal")
    understood = read(source(hotwire()), Options(choice="formal"))
    item = understood.item
    # The first row is zero: hidden-directions pads with such layers.
    assert item.card.sites == (Site(1), Site(2), Site(3))
    assert "1 layers whose row is all zero" in understood.account.dropped
    assert item.card.residual_norms == {Site(1): 54.9, Site(2): 60.0}
    assert item.card.model == "org/model"
    with pytest.raises(InvalidRequest, match="'x'; vectors there are: calm, formal"):
        read(source(hotwire()), Options(choice="x"))


def npy_bytes(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_arrays_of_numpy():
    item = read(source({"v2.npy": npy_bytes(V)}), Options(layer=5)).item
    assert item.card.sites == (Site(5),)
    assert (item.tensors[Site(5)] == V).all()
    rows = normal(4, D)
    for order in "CF":
        files = {"rows.npy": npy_bytes(np.asarray(rows, "f8", order=order))}
        tensors = read(source(files)).item.tensors
        assert all((tensors[Site(n)] == rows[n]).all() for n in range(4))
    item = read(source(layers_npz())).item
    assert (item.tensors[Site(3)] == normal(D, seed=3)).all()
    with pytest.raises(InvalidRequest, match=r"v\.npy.*is one direction without a layer"):
        read(source({"v.npy": npy_bytes(V)}))
    with pytest.raises(InvalidRequest, match=r"holds '\|O', want numbers"):
        read(source({"v.npy": npy_bytes(np.array([{}, {}]))}), Options(layer=1))
    with pytest.raises(InvalidRequest, match="bytes for the shape"):
        read(source({"v.npy": npy_bytes(V)[:-1]}), Options(layer=1))


# What people call files says nothing of layers, whatever digits are in it.
NAMES = pytest.mark.parametrize("name", ["v.pt", "llama-3.pt", "v1.pt"])


@NAMES
def test_rows_are_layers_and_one_can_be_taken(name):
    rows = normal(4, D)
    files = {name: torch_bytes(torch.tensor(rows))}
    item = read(source(files)).item
    assert [site.layer for site in item.card.sites] == [0, 1, 2, 3]
    assert all((item.tensors[Site(n)] == rows[n]).all() for n in range(4))
    assert read(source(files), Options(layer=2)).item.card.sites == (Site(2),)
    # With the embeddings first, as transformers lists hidden states.
    shifted = read(source(files), Options(index_offset=-1)).item
    assert (shifted.tensors[Site(0, Point.RESID_PRE)] == rows[0]).all()
    assert (shifted.tensors[Site(2)] == rows[3]).all()
    with pytest.raises(InvalidRequest, match="rows are 0 to 3"):
        read(source(files), Options(layer=4))


@NAMES
def test_a_single_direction_needs_its_layer(name):
    files = {name: torch_bytes(torch.tensor(V))}
    with pytest.raises(InvalidRequest) as caught:
        read(source(files))
    assert caught.value.violations[0].field == "options.layer"
    item = read(source(files), Options(layer=5, point=Point.RESID_MID)).item
    assert item.card.sites == (Site(5, Point.RESID_MID),)


def test_repeng_like_and_steering_vectors_like_dicts():
    for key in ("directions", "layer_activations"):
        content = {key: {4: torch.tensor(V)}, "model_type": "llama"}
        assert read(source({"v.pt": torch_bytes(content)})).item.card.sites == (Site(4),)


def test_several_tensors_without_layers_need_a_choice():
    files = {"v.pt": torch_bytes({"dir": torch.tensor(V), "avg": torch.tensor(V * 2)})}
    with pytest.raises(ChoiceNeeded, match="dir, avg"):
        read(source(files), Options(layer=1))
    item = read(source(files), Options(layer=1, choice="avg")).item
    assert np.array_equal(item.tensors[Site(1)], V * 2)
    several = files | {"other.pt": files["v.pt"]}
    with pytest.raises(ChoiceNeeded) as caught:
        read(source(several), Options(layer=1, choice="other"))
    assert caught.value.choices == ("other:dir", "other:avg")
    with pytest.raises(InvalidRequest, match="there are: dir, avg"):
        read(source(several), Options(layer=1, choice="other:x"))
    item = read(source(several), Options(layer=1, choice="other:dir")).item
    assert np.array_equal(item.tensors[Site(1)], V)
