"""Texts of recipes: exact, durable, and never under a path somebody else chose."""

import os

import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store.files import open_files
from steer.store.recipes import RecipeFiles


@pytest.fixture(params=["local", "memory"])
def recipes(request, tmp_path):
    local = request.param == "local"
    return RecipeFiles(open_files(tmp_path if local else f"memory://{tmp_path.name}"))


def test_there_and_back(recipes):
    assert recipes.names() == []
    for name, text in (("b", "{}"), ("a/z", "ü"), ("a", "1"), ("b", "2")):
        recipes.write(name, text)
    assert recipes.names() == ["a", "a/z", "b"]
    assert [recipes.read(name) for name in recipes.names()] == ["1", "ü", "2"]
    recipes.delete("a")
    assert recipes.names() == ["a/z", "b"]


def test_an_unknown_name_lists_what_there_is(recipes):
    for use in (recipes.read, recipes.delete):
        with pytest.raises(NotFound, match="stored: none") as caught:
            use("x")
        assert caught.value.reason == "RECIPE_NOT_FOUND"
    recipes.write("a", "1")
    with pytest.raises(NotFound, match="stored: a"):
        recipes.read("x")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../b", "/a", "a//b", "a/b/c", "A", ".a",
                                  "a~b", "a.json", "a b", "a\n", "a" * 201])  # fmt: skip
def test_a_name_is_never_a_path(recipes, name):
    for use in (recipes.read, recipes.delete, lambda name: recipes.write(name, "1")):
        with pytest.raises(InvalidRequest, match="not a recipe name") as caught:
            use(name)
        assert caught.value.reason == "BAD_NAME"


def test_files_that_are_no_recipes_are_not_listed(tmp_path):
    recipes = RecipeFiles(open_files(tmp_path))
    recipes.write("a", "1")
    for stray in ("A.json", "a.txt", ".json", ".tmp.json"):
        (tmp_path / ".recipes" / stray).write_text("1")
    assert recipes.names() == ["a"]


def test_what_can_not_be_read_names_its_file(tmp_path):
    recipes = RecipeFiles(open_files(tmp_path))
    recipes.write("a/b", "1")
    file = tmp_path / ".recipes/a~b.json"
    file.write_bytes(b"\xff")
    with pytest.raises(FailedPrecondition, match=r"\.recipes/a~b\.json.*utf-8") as caught:
        recipes.read("a/b")
    assert caught.value.reason == "RECIPE_DAMAGED"
    file.unlink()
    file.symlink_to("/etc/hostname")
    with pytest.raises(FailedPrecondition, match=r"a~b\.json"):
        recipes.read("a/b")


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    recipes = RecipeFiles(open_files(tmp_path))
    recipes.write("a", "1")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FailedPrecondition, match="No space left") as caught:
        recipes.write("a", "2")
    assert caught.value.reason == "STORE_NOT_WRITABLE"
    monkeypatch.undo()
    assert recipes.read("a") == "1"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.json"]
