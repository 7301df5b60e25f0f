"""What is written is read back as it was, and is what its readers accept."""

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from steer.errors import InvalidRequest
from steer.formats import WRITERS, Options, Source, Written, read, write
from steer.store import Architecture, Card, Item, Store, Vector
from steer.types import Phase, Point, Site, Strength, Unit, Where
from tests.formats.build import D, normal
from tests.store import items

LAYERS = (1, 2, 5)
VECTOR = Vector(
    "v",
    {Site(layer): normal(D, seed=layer) for layer in LAYERS},
    Card("org/m", "sha256:f", D, tuple(map(Site, LAYERS)), "test"),
)
DICTIONARIES = {
    **{f"sae {a.value}": items.dictionary(a, subtract=True) for a in Architecture},
    "transcoder": items.dictionary(site_out=Site(2, Point.MLP_OUT)),
    "transcoder with skip": items.dictionary(site_out=Site(2, Point.MLP_OUT), skip=True),
    "jumprelu transcoder": items.dictionary(
        Architecture.JUMPRELU, site_out=Site(2, Point.MLP_OUT), skip=True
    ),
}


def put(written: Written, folder: Path) -> Path:
    """The files of a writer in a folder; their sizes are those that were announced."""
    for name, output in written.files.items():
        data = b"".join(output.pieces())
        assert len(data) == output.size and data == b"".join(output.pieces())
        (folder / name).write_bytes(data)
    return folder


def same(a: Item, b: Item) -> bool:
    """Whether two items have the same tensors, to the last bit."""
    one, two = a.arrays(), b.arrays()
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)


def test_gguf_is_what_the_gguf_library_writes(tmp_path):
    data = put(write(VECTOR, "gguf"), tmp_path).joinpath("vector.gguf").read_bytes()
    writer = gguf.GGUFWriter(str(tmp_path / "want.gguf"), "controlvector")
    writer.add_string("controlvector.model_hint", "org/m")
    writer.add_uint32("controlvector.layer_count", len(LAYERS))
    for layer in LAYERS:
        writer.add_tensor(f"direction.{layer}", VECTOR.tensors[Site(layer)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert data == (tmp_path / "want.gguf").read_bytes()


def test_gguf_comes_back(tmp_path):
    item = read(Source.of_path(put(write(VECTOR, "gguf"), tmp_path))).item
    assert same(item, VECTOR) and item.card.model == "org/m"


def test_gguf_has_no_direction_0(tmp_path):
    card = replace(VECTOR.card, sites=(Site(0), Site(3)), strength=Strength(0.7, Unit.RELATIVE))
    item = Vector("v", {Site(0): normal(D), Site(3): normal(D, seed=3)}, card)
    written = write(item, "gguf")
    reader = gguf.GGUFReader(put(written, tmp_path) / "vector.gguf")
    assert [tensor.name for tensor in reader.tensors] == ["direction.3"]
    assert reader.tensors[0].tensor_type == gguf.GGMLQuantizationType.F32
    assert any("direction.0" in note for note in written.notes)
    assert any("0.7 (relative)" in note for note in written.notes)
    card = replace(VECTOR.card, where=Where(Phase.DECODE))
    notes = write(replace(VECTOR, card=card), "gguf").notes
    assert notes == ('the default where {"phase": "decode"}',)
    alone = Vector("v", {Site(0): normal(D)}, replace(card, sites=(Site(0),)))
    with pytest.raises(InvalidRequest, match="layer 0"):
        write(alone, "gguf")


def test_gguf_has_blocks_outputs_alone():
    with pytest.raises(InvalidRequest) as caught:
        write(items.vector(), "gguf")
    assert [v.field for v in caught.value.violations] == ["sites[mlp_out.2]"]


@pytest.mark.parametrize("name", items.every_kind())
def test_safetensors_of_every_kind(name, tmp_path):
    store = Store(tmp_path / "store")
    item = store.put(items.every_kind()[name])
    folder = tmp_path / "out"
    folder.mkdir()
    understood = read(Source.of_path(put(write(item, "safetensors"), folder)))
    assert same(understood.item, item)
    card = replace(item.card, norms={}, content_hash="", sha256="")
    assert understood.item.card == card
    version = understood.save(store, "again")
    assert store.get("again").content_hash == item.content_hash
    assert version.card.sha256 == item.card.sha256
    loaded = load_file(folder / "vector.safetensors")
    assert loaded.keys() == item.arrays().keys()


@pytest.mark.parametrize("name", DICTIONARIES)
def test_saelens_folders_come_back(name, tmp_path):
    item = DICTIONARIES[name]
    understood = read(Source.of_path(put(write(item, "saelens"), tmp_path)))
    assert same(understood.item, item)
    assert understood.item.card.dictionary == item.card.dictionary
    assert understood.item.card.sites == item.card.sites


@pytest.mark.parametrize("name", DICTIONARIES)
def test_saelens_reads_its_folders(name, tmp_path):
    lens = pytest.importorskip("sae_lens")
    import torch

    from tests.formats import reference

    item, x = DICTIONARIES[name], items.normal(np.random.default_rng(1), 6, items.D)
    sae = lens.SAE.load_from_disk(put(write(item, "saelens"), tmp_path))
    acts = sae.encode(torch.tensor(x)).detach().numpy()
    want = reference.activations(item, x.astype("f8"))
    np.testing.assert_allclose(acts, want, rtol=1e-4, atol=1e-4)
    out = sae(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(out, reference.output(item, x.astype("f8")), rtol=1e-4, atol=1e-3)


def test_architectures_saelens_has_not():
    for architecture in (Architecture.TOPK, Architecture.GATED):
        item = items.dictionary(architecture, site_out=Site(2, Point.MLP_OUT))
        with pytest.raises(InvalidRequest, match=f"no {architecture.value} transcoder"):
            write(item, "saelens")


def test_formats_that_can_not_hold_it():
    with pytest.raises(InvalidRequest, match="'onnx', want one of gguf, safetensors, saelens"):
        write(VECTOR, "onnx")
    with pytest.raises(InvalidRequest, match="safetensors, saelens can"):
        write(items.dictionary(), "gguf")
    assert {"gguf", "safetensors", "saelens"} == set(WRITERS)


def test_a_card_that_lies_is_refused(tmp_path):
    for change in ({"d_model": 7}, {"sites": (Site(9),)}, {"kind": "sae"}, {"kind": "probe"}):
        item = replace(VECTOR, card=replace(VECTOR.card, **change))
        folder = tmp_path / str(change)[:12].strip("{'")
        folder.mkdir(exist_ok=True)
        with pytest.raises(InvalidRequest):
            read(Source.of_path(put(write_as_is(item), folder)), Options())


def write_as_is(item: Vector) -> Written:
    """As a stranger may write it: the card says what it likes."""
    from steer.formats.writers import safetensors

    return safetensors.write(item)
