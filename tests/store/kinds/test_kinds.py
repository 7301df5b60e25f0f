"""Every kind comes back as it was put, and what does not fit its card is refused."""

from dataclasses import replace

import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.store import KINDS, Architecture, DictionarySpec, Store, Vector
from steer.types import Site
from tests.store import items

EVERY = items.every_kind()


@pytest.mark.parametrize("what", EVERY)
def test_every_kind_comes_back_byte_for_byte(what, tmp_path):
    item = EVERY[what]
    put = Store(tmp_path / "s").put(item)
    got = Store(tmp_path / "s").get(item.name)
    assert type(got) is type(put) is KINDS[item.kind]
    assert got.card == put.card and got.content_hash == put.content_hash != ""
    assert got.kind == item.kind == what.split()[0]
    assert got.arrays().keys() == item.arrays().keys()
    for name, array in item.arrays().items():
        assert got.arrays()[name].tobytes() == array.tobytes()
        assert got.arrays()[name].shape == array.shape and not got.arrays()[name].flags.writeable


def test_every_kind_is_tried():
    assert {item.kind for item in EVERY.values()} == set(KINDS)


@pytest.mark.parametrize("what", EVERY)
def test_norms_are_in_the_card_and_in_listings(what, tmp_path):
    put = Store(tmp_path).put(EVERY[what])
    info = put.info()
    assert dict(zip(info.sites, info.norms, strict=True)) == put.card.norms == put.norms()
    assert min(info.norms) > 0


def test_what_norms_mean():
    v, p, r, s = items.vector(), items.probe(), items.low_rank(), items.dictionary()
    site = items.SITES[0]
    assert v.norms()[site] == pytest.approx(np.linalg.norm(v.tensors[site]), rel=1e-6)
    assert p.norms()[site] == pytest.approx(np.linalg.norm(p.sites[site].weight), rel=1e-6)
    change = r.sites[site].weight - r.sites[site].rotation
    assert r.norms()[site] == pytest.approx(np.linalg.norm(change), rel=1e-6)
    mean = np.linalg.norm(s.tensors["decoder"], axis=1).mean()
    assert s.norms() == {site: pytest.approx(mean, rel=1e-6)}


def send_changed(store, item, name, value):
    """Upload an item with one tensor changed, or without it."""
    arrays = item.arrays()
    if value is None:
        del arrays[name]
    else:
        arrays[name] = np.asarray(value, np.float32)
    return items.send(store, item.name, item.card, arrays)


@pytest.mark.parametrize("what", EVERY)
def test_every_tensor_must_be_there_finite_and_of_its_shape(what, tmp_path):
    item, store = EVERY[what], Store(tmp_path)
    for name, array in item.arrays().items():
        nan = array.copy()
        nan.flat[-1] = np.nan
        optional = name == "skip" or name.startswith(("within_class", "stratified"))
        wrong = [(nan, "NaN"), (array[..., None], "want"), (array[:0], "list of sizes")]
        for value, says in [*wrong, *([] if optional else [(None, "missing")])]:
            with pytest.raises(InvalidRequest, match=says) as caught:
                send_changed(store, item, name, value)
            fields = {violation.field for violation in caught.value.violations}
            assert fields & {f"tensors[{name}]", "tensors"} or says == "list of sizes"
    with pytest.raises(InvalidRequest, match="unknown extra"):
        send_changed(store, item, "extra", np.ones(8))
    assert store.names() == [] and store.verify().leftovers == ()


MAY_BE_ZERO = ("bias", "weight.", "threshold", "magnitude_log_scale", "skip", "decoder_bias")


@pytest.mark.parametrize("what", EVERY)
def test_what_could_not_do_anything_is_refused(what, tmp_path):
    item, store = EVERY[what], Store(tmp_path)
    for name, array in item.arrays().items():
        free = name.endswith("bias") or name.startswith(MAY_BE_ZERO)
        if free and not (item.kind == "probe" and name.startswith("weight")):
            send_changed(store, item, name, np.zeros_like(array))
            continue
        with pytest.raises(InvalidRequest, match=f"{name}.*all zero"):
            send_changed(store, item, name, np.zeros_like(array))


def test_everything_wrong_is_said_at_once(tmp_path):
    ones = np.ones(items.D)
    bad = Vector("v", {Site(0): ones * np.nan, Site(2): ones, Site(1): ones * 1e300}, items.CARD)
    with pytest.raises(
        InvalidRequest, match=r"missing mlp_out.2; unknown resid_post.1, resid_post.2"
    ):
        Store(tmp_path).put(bad)
    card = replace(items.CARD, sites=(Site(0), Site(1)))
    wide = Vector("v", {Site(0): ones * 1e300, Site(1): np.ones(7)}, card)
    with pytest.raises(InvalidRequest, match=r"resid_post\.0.*infinity.*resid_post\.1.*\(7,\)"):
        Store(tmp_path).put(wide)


def test_an_unknown_kind_names_the_known(tmp_path):
    with pytest.raises(InvalidRequest, match="'pickle' is none of direction, low_rank"):
        Store(tmp_path).put(replace(items.vector(), card=replace(items.CARD, kind="pickle")))


SPECS = [
    ({}, None, "card.dictionary: a sae needs it"),
    ({"architecture": Architecture.TOPK}, 1, "dictionary.k: is None, want 1 to 24"),
    ({"architecture": Architecture.TOPK, "k": 25}, 1, "dictionary.k: is 25"),
    ({"k": 3}, 1, "is for topk, not for standard"),
    ({"site_out": Site(3)}, 1, "site_out: is for transcoders"),
    ({"d_sae": 23}, 1, r"encoder\]: has shape \(24, 8\), want \(23, 8\)"),
    ({"d_sae": 0}, 1, "d_sae: is 0"),
    ({}, 2, "card.sites: are 2"),
]


@pytest.mark.parametrize(("change", "sites", "says"), SPECS)
def test_a_dictionarys_card_must_make_sense(change, sites, says, tmp_path):
    item = items.dictionary()
    spec = None if sites is None else replace(item.spec, **change)
    card = replace(item.card, dictionary=spec, sites=items.SITES[: sites or 1])
    with pytest.raises(InvalidRequest, match=says):
        Store(tmp_path).put(replace(item, card=card))


def test_a_transcoder_needs_its_output_and_can_not_subtract_its_bias(tmp_path):
    item = items.dictionary(site_out=items.SITES[1])
    spec = DictionarySpec(Architecture.STANDARD, items.D_SAE, apply_b_dec_to_input=True)
    with pytest.raises(InvalidRequest, match=r"site_out: a transcoder needs.*space it reads"):
        Store(tmp_path).put(replace(item, card=replace(item.card, dictionary=spec)))
