import pytest

from steer.errors import InvalidRequest
from steer.formats import FORMATS, Options, detect, read
from tests.formats.build import fixture, source
from tests.formats.valid import VALID


@pytest.mark.parametrize("name", VALID)
def test_every_format_is_recognised(name):
    make, _ = VALID[name]
    assert detect(source(make())) == name.partition(" ")[0]


def test_every_format_has_a_valid_source():
    assert {name.partition(" ")[0] for name in VALID} == set(FORMATS)


def test_a_format_can_be_said():
    files = fixture("repeng")
    assert read(source(files), Options(format="gguf")).item.card.model == "llama"
    with pytest.raises(InvalidRequest, match="want one of gguf"):
        read(source(files), Options(format="onnx"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_format_that_was_said_is_refused(name):
    for make, _ in VALID.values():
        if not FORMATS[name].recognise(source(make())):
            with pytest.raises(InvalidRequest, match="nothing here looks like"):
                read(source(make()), Options(format=name))


@pytest.mark.parametrize("options", [Options(layer=-1), Options(strength=float("nan"))])
def test_numbers_that_can_not_be(options):
    make, _ = VALID["gguf"]
    with pytest.raises(InvalidRequest, match="options"):
        read(source(make()), options)
