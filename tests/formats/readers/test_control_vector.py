import numpy as np
import pytest

from steer.errors import InvalidRequest
from steer.formats import ChoiceNeeded, Options, read
from steer.types import Point, Site
from tests.formats.build import D, gguf_bytes, normal, source

VECTORS = {1: normal(D, seed=1), 2: normal(D, seed=2)}


def sites(data: bytes, options: Options | None = None) -> list[str]:
    return [str(site) for site in read(source({"v.gguf": data}), options).item.card.sites]


def test_llama_cpp_generator_is_one_block_late_and_moved_back(tmp_path):
    understood = read(source({"v.gguf": gguf_bytes(tmp_path, VECTORS, signed=True)}))
    assert "cvector-generator" in understood.account.writer
    assert understood.item.card.sites == (Site(0), Site(1))
    assert (understood.item.tensors[Site(0)] == VECTORS[1]).all()
    assert any("plus 1" in line for line in understood.account.lines())


def test_index_offset_overrides(tmp_path):
    data = gguf_bytes(tmp_path, VECTORS, signed=True)
    assert sites(data, Options(index_offset=0)) == ["resid_post.1", "resid_post.2"]
    assert sites(data, Options(index_offset=3)) == ["resid_post.4", "resid_post.5"]
    # What leaves block -1 is what enters block 0.
    assert sites(data, Options(index_offset=-2)) == ["resid_post.0", "resid_pre.0"]
    with pytest.raises(InvalidRequest, match="layer -2"):
        sites(data, Options(index_offset=-3))


def test_easysteer_with_method_and_layer_0(tmp_path):
    data = gguf_bytes(
        tmp_path,
        {0: VECTORS[1], 1: VECTORS[2]},
        controlvector__method="diffmean",
        controlvector__model_hint="qwen2",
        controlvector__normalize=1.0,
    )
    understood = read(source({"v.gguf": data}))
    assert "EasySteer" in understood.account.writer
    card = understood.item.card
    assert (card.model, card.method, card.sites) == ("qwen2", "diffmean", (Site(0), Site(1)))
    assert card.parameters["file"] == {"controlvector.normalize": 1.0}
    assert card.licence == "unknown"


def test_model_point_and_strength_can_be_said(tmp_path):
    options = Options(model="org/m", point=Point.MLP_OUT, strength=0.5)
    card = read(source({"v.gguf": gguf_bytes(tmp_path, VECTORS)}), options).item.card
    assert (card.model, card.strength.value) == ("org/m", 0.5)
    assert card.sites == (Site(1, Point.MLP_OUT), Site(2, Point.MLP_OUT))


def test_options_nothing_uses_are_refused(tmp_path):
    options = Options(layer=3, scale=2.0, k=1, choice="a")
    with pytest.raises(InvalidRequest) as caught:
        read(source({"v.gguf": gguf_bytes(tmp_path, VECTORS)}), options)
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"options.layer", "options.scale", "options.k", "options.choice"}


@pytest.mark.parametrize(
    ("directions", "says"),
    [
        ({1: np.zeros(D, "f4")}, "all zero"),
        ({1: np.full(D, np.nan, "f4")}, "NaN or infinity"),
        ({1: normal(D), 2: normal(D + 1)}, "has shape"),
        ({1: normal(2, D)}, "want one side"),
        ({1: normal(D).astype("i4")}, ""),
    ],
)
def test_bad_values_name_the_tensor(tmp_path, directions, says):
    data = gguf_bytes(tmp_path, directions)
    if not says:
        assert sites(data) == ["resid_post.1"]  # Whole numbers are numbers.
        return
    with pytest.raises(InvalidRequest, match=says) as caught:
        sites(data)
    assert "tensors[" in caught.value.violations[0].field


def test_one_of_several_files(tmp_path):
    files = {f"{n}.gguf": gguf_bytes(tmp_path, {n: normal(D, seed=n)}) for n in (1, 2)}
    with pytest.raises(ChoiceNeeded) as caught:
        read(source(files))
    assert caught.value.choices == ("1", "2")
    assert read(source(files), Options(choice="2")).item.card.sites == (Site(2),)


@pytest.mark.parametrize("dtype", ["f2", "f8"])
def test_half_and_double_directions(tmp_path, dtype):
    item = read(source({"v.gguf": gguf_bytes(tmp_path, {1: VECTORS[1].astype(dtype)})})).item
    assert (item.tensors[Site(1)] == VECTORS[1].astype(dtype).astype("f4")).all()


def test_another_architecture_is_refused(tmp_path):
    data = gguf_bytes(tmp_path, VECTORS, architecture="llama")
    with pytest.raises(InvalidRequest, match="'llama', want controlvector or steeringvector"):
        sites(data)


def test_a_file_without_directions_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="has no tensor direction"):
        sites(gguf_bytes(tmp_path, {}))
