"""svec, AxBench, bias folders and lm-eval."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from steer.errors import InvalidRequest
from steer.formats import ChoiceNeeded, Options, read
from steer.store import Probe
from steer.types import Point, Site
from tests.formats import reference
from tests.formats.build import (
    D,
    Files,
    axbench,
    bias_folder,
    fixture,
    gemma_arrays,
    llama_scope,
    lm_eval,
    lm_eval_csv,
    normal,
    source,
    svec,
    torch_bytes,
)


def test_svec():
    understood = read(source(svec()))
    item = understood.item
    assert item.card.sites == (Site(0), Site(4)) and item.card.model == "llama"
    assert (item.tensors[Site(4)] == normal(D, seed=4)).all()
    assert "index_offset -1" in understood.account.convention
    as_ibm = read(source(svec()), Options(index_offset=-1)).item
    assert {str(site) for site in as_ibm.card.sites} == {"resid_pre.0", "resid_post.3"}


@pytest.mark.parametrize("values", [[], ["a"], [[1.0]], 3, [True], None])
def test_svec_values(values):
    with pytest.raises(InvalidRequest, match="not a list of numbers"):
        read(source({"v.svec": json.dumps({"directions": {"1": values}}).encode()}))


def test_axbench_row_and_layer():
    with pytest.raises(InvalidRequest, match="0 to 4"):
        read(source(axbench()), Options(layer=3))
    with pytest.raises(InvalidRequest, match=r"options\.layer"):
        read(source(axbench()), Options(choice="2"))
    understood = read(source(axbench(), "runs/prod_2b_l20_v1/train"), Options(choice="2"))
    item = understood.item
    assert item.card.sites == (Site(20),) and item.card.method == "LinearProbe"
    assert (item.tensors[Site(20)] == normal(5, D)[2]).all()
    assert read(source(axbench()), Options(choice="2", layer=3)).item.card.sites == (Site(3),)


def test_axbench_probe_keeps_the_bias():
    item = read(source(axbench()), Options(choice="LinearProbe:3", layer=1, kind="probe")).item
    assert isinstance(item, Probe)
    assert item.sites[Site(1)].bias == normal(5, seed=1)[3]


def test_axbench_with_several_methods():
    files = axbench() | {"LsReFT_weight.pt": axbench()["LinearProbe_weight.pt"]}
    with pytest.raises(InvalidRequest, match="LinearProbe, LsReFT"):
        read(source(files), Options(choice="2", layer=1))
    item = read(source(files), Options(choice="LsReFT:2", layer=1)).item
    assert item.card.method == "LsReFT"


def test_axbench_sae():
    tensors = {name: torch.tensor(array) for name, array in gemma_arrays().items()}
    files = {"GemmaScopeSAE.pt": torch_bytes(tensors)}
    item = read(source(files, "prod_2b_l10_v1")).item
    a, x = gemma_arrays(), normal(5, D, seed=3).astype("f8")
    pre = x @ a["W_enc"] + a["b_enc"]
    want = (pre > a["threshold"]) * np.maximum(pre, 0)
    np.testing.assert_allclose(reference.activations(item, x), want, rtol=1e-6)
    assert item.card.sites == (Site(10),)


def test_bias_folder():
    item = read(source(bias_folder())).item
    assert item.card.sites == (Site(1, Point.MLP_OUT), Site(2, Point.MLP_OUT))
    assert (item.tensors[Site(1, Point.MLP_OUT)] == normal(D, seed=1)).all()


def test_lm_eval_equal_coefficients_are_the_strength():
    item = read(source(lm_eval())).item
    assert item.card.strength.value == 2.0 and item.card.sites == (Site(1), Site(2))
    assert (item.tensors[Site(1)] == normal(D, seed=1)).all()


def test_lm_eval_other_coefficients_are_folded():
    understood = read(source(lm_eval(coefficients=(2.0, -3.0))))
    assert (understood.item.tensors[Site(2)] == normal(D, seed=2) * np.float32(-3)).all()
    assert understood.item.card.strength.value == 1.0 and understood.account.folded


def test_lm_eval_clamp_is_a_projection():
    """lm-eval pins (h - bias)·v̂; ``project`` pins h·v̂."""
    with pytest.raises(ChoiceNeeded):
        read(source(lm_eval("clamp")))
    understood = read(source(lm_eval("clamp")), Options(choice="layers.2"))
    v, bias, h = normal(D, seed=2).astype("f8"), normal(D, seed=9), normal(3, D, seed=7)
    unit = v / np.linalg.norm(v)
    moved = h - bias
    want = moved - np.outer(moved @ unit, unit) + unit * 2.0 + bias
    target = understood.item.card.parameters["clamp"]
    got = h + np.outer(target - h @ unit, unit)
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert "project" in understood.account.warnings[0]


def test_lm_eval_csv_reads_the_dictionary_beside_it():
    item = read(source(lm_eval_csv())).item
    decoder = read(source(fixture("sparsify-sae"))).item.tensors["decoder"]
    assert (item.tensors[Site(3)] == decoder[5]).all() and item.card.strength.value == 10.0


def test_lm_eval_csv_alone_says_what_is_missing():
    files = {"steer.csv": lm_eval_csv()["steer.csv"]}
    with pytest.raises(InvalidRequest, match=r"org/run/layers\.3, whose folder is not beside"):
        read(source(files))


def changed(name: str, path: str, old: str, new: str) -> Files:
    files = fixture(name)
    assert old.encode() in files[path]
    return {**files, path: files[path].replace(old.encode(), new.encode())}


@pytest.mark.parametrize("kind", ["NodireftIntervention", "LobireftIntervention"])
def test_classes_of_pyreft_with_the_keys_of_another_are_refused(kind):
    """NodiReFT takes no projection away, in tensors that are called as NoReFT's."""
    files = changed("noreft", "config.json", "NoreftIntervention", kind)
    with pytest.raises(InvalidRequest, match=rf"intervention_types.*{kind}"):
        read(source(files))


def test_classes_of_nobody_known_are_read_by_their_keys():
    files = changed("noreft", "config.json", "pyreft.interventions.Nor", "__main__.MyNor")
    assert read(source(files)).item.kind == "low_rank"


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "says"),
    [
        ("dictionary_learning/AutoEncoderTopK", "config.json", '"k": 4', '"k": 5', "say 4"),
        (
            "dictionary_learning/AutoEncoder",
            "config.json",
            '"dict_size": 20',
            '"dict_size": 21',
            "have 20",
        ),
        ("dictionary_learning/AutoEncoder", "config.json", 'dim": 12', 'dim": 13', "have 12"),
        ("sparsify-sae", "layers.3/cfg.json", '"num_latents": 20', '"num_latents": 21', "21"),
        ("sparsify-sae", "layers.3/cfg.json", '"d_in": 12', '"d_in": 13', "13"),
        ("saelens/jumprelu", "cfg.json", '"jumprelu"', '"standard"', "has no threshold"),
        ("saelens/batchtopk", "cfg.json", '"batchtopk"', '"topk"', "has no topk_threshold"),
        ("saelens/transcoder", "cfg.json", '"d_out": 12', '"d_out": 13', r"says \(20, 13\)"),
        (
            "saelens/standard",
            "cfg.json",
            '"hook_name"',
            '"hook_head_index": 3, "hook_name"',
            "heads",
        ),
        ("saelens/standard", "cfg.json", '"d_sae": 20', '"d_sae": 21', "21"),
        ("saelens/standard", "cfg.json", '"d_in": 12', '"d_in": 13', "13"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused(name, path, old, new, says):
    with pytest.raises(InvalidRequest, match=says):
        read(source(changed(name, path, old, new)))


def test_llama_scopes_width_is_that_of_the_weights():
    """The scale of the input is made of it."""
    files = llama_scope()
    path = "L8R-8x/hyperparams.json"
    with pytest.raises(InvalidRequest, match=r"says \(20, 24\)"):
        read(source({**files, path: files[path].replace(b'"d_model": 12', b'"d_model": 24')}))


def test_layers_that_are_there_twice_are_refused():
    for key in ("03", "\u0663"):
        content = json.dumps({"directions": {"3": [1.0, 2.0], key: [3.0, 4.0]}})
        with pytest.raises(InvalidRequest, match=r"resid_post\.3, as another is"):
            read(source({"x.svec": content.encode()}))
    with pytest.raises(InvalidRequest, match="as text and as number"):
        read(source({"x.pt": torch_bytes({"1": torch.ones(D), 1: torch.zeros(D)})}))


def test_half_of_a_pair_of_escapes_is_refused():
    files = svec()
    (path,) = files
    for bad in (b'"mo\\ud83d"', b'"\\uDE00x"'):
        with pytest.raises(InvalidRequest, match="surrogates not allowed"):
            read(source({path: files[path].replace(b'"llama"', bad)}))
    whole = files[path].replace(b'"llama"', b'"\\ud83d\\ude00"')
    assert read(source({path: whole})).item.card.model == "\U0001f600"
    with pytest.raises(InvalidRequest, match="want a text or a number"):
        read(source({"x.pt": torch_bytes({"layer.1\ud800": torch.ones(D)})}))


def test_a_csv_that_csv_can_not_read():
    header = b"sparse_model,feature_index,steering_coefficient\n"
    with pytest.raises(InvalidRequest, match="field larger than"):
        read(source({"s.csv": header + b'"' + b"x" * 200_000 + b'",1,2\n'}))


def test_the_columns_of_a_csv_are_those_of_its_first_line():
    files = lm_eval_csv()
    (path,) = (path for path in files if path.endswith(".csv"))
    spaced = files[path].replace(b",", b", ")
    assert read(source({**files, path: spaced})).item.kind == "direction"
    with pytest.raises(InvalidRequest, match="has no column feature_index, sparse"):
        read(source({**files, path: b"loader\r," + files[path]}))


def test_a_tensor_without_values_is_refused():
    files = fixture("saelens/standard")
    tensors = load_safetensors(files["sae_weights.safetensors"])
    tensors["b_enc"] = np.zeros(0, "f4")
    with pytest.raises(InvalidRequest, match=r"b_enc\]: has shape \(0,\)"):
        read(source({**files, "sae_weights.safetensors": save_safetensors(tensors)}))
