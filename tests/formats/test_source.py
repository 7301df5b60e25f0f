import os

import pytest

from steer.errors import InvalidRequest, NotFound
from steer.formats import Source, detect, read
from tests.formats.build import FIXTURES, source


def test_a_file_a_folder_and_an_upload_are_the_same(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "v.gguf").write_bytes(b"12345")
    (tmp_path / "a" / ".hidden").write_bytes(b"x")
    folder = Source.of_path(tmp_path / "a")
    assert list(folder.files) == ["b/v.gguf"] and folder.files["b/v.gguf"].size == 5
    single = Source.of_path(tmp_path / "a" / "b" / "v.gguf")
    assert list(single.files) == ["v.gguf"]
    assert single.where(single.files["v.gguf"]) == str(tmp_path / "a/b/v.gguf")
    upload = Source.of_files({"b/v.gguf": b"12345"})
    for made in (folder, upload):
        assert made.files["b/v.gguf"].read(1, 3) == b"234"
        with pytest.raises(InvalidRequest, match="ends at 5"):
            made.files["b/v.gguf"].read(3, 3)


def test_links_in_a_folder_are_refused(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "cfg.json").symlink_to(tmp_path / "secret")
    (folder / "inner").symlink_to(tmp_path)
    with pytest.raises(InvalidRequest) as caught:
        Source.of_path(folder)
    assert [v.reason for v in caught.value.violations] == ["SYMLINK", "SYMLINK"]


def test_special_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "v.gguf")
    with pytest.raises(InvalidRequest, match="regular file"):
        Source.of_path(tmp_path)
    with pytest.raises(InvalidRequest, match="regular file"):
        Source.of_path(tmp_path / "v.gguf")


def test_deep_folders_are_refused(tmp_path):
    deep = tmp_path.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    (deep / "v.gguf").write_bytes(b"")
    with pytest.raises(InvalidRequest, match="folders deep"):
        Source.of_path(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../v.gguf",
        "a/../v",
        "a//b",
        "./a",
        "a\\b",
        "a\0b",
        "a\nb",
        "a/" * 9 + "b",
    ],
)
def test_names_of_uploads_are_plain_relative_paths(name):
    with pytest.raises(InvalidRequest) as caught:
        Source.of_files({name: b"x", "fine.gguf": b"x"})
    assert [v.reason for v in caught.value.violations] == ["BAD_PATH"]


def test_a_file_that_changes_is_noticed(tmp_path):
    path = tmp_path / "v.gguf"
    path.write_bytes(b"12345")
    made = Source.of_path(path)
    path.write_bytes(b"1")
    with pytest.raises(InvalidRequest, match="changed"):
        made.files["v.gguf"].read(0, 1)
    replaced = Source.of_path(path)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(InvalidRequest, match="can not be read"):
        replaced.files["v.gguf"].read(0, 1)


def test_nothing_there(tmp_path):
    with pytest.raises(NotFound, match="no such file"):
        Source.of_path(tmp_path / "none")
    with pytest.raises(InvalidRequest, match="are none"):
        read(Source.of_path(tmp_path))


def test_unknown_files_list_the_formats():
    with pytest.raises(InvalidRequest, match=r"\(a\.txt\).*gguf.*saelens.*hotwire"):
        detect(source({"a.txt": b"x"}))


def test_descriptors_are_closed():
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = opened()
    for _ in range(5):
        read(Source.of_path(FIXTURES / "saelens/standard"))
        read(Source.of_path(FIXTURES / "repeng"))
    assert opened() <= before + 1
