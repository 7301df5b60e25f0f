"""Recipes as texts: one file ``.recipes/<name>.json`` for each, with ``~`` for the ``/`` of a name.

A file is replaced whole and durably, so of two writers the last one wins and a crash leaves the old
or the new. What the texts say is not known here; ``protos/steer/v1/recipe.proto`` does.
"""

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store.address import LONGEST_NAME, NAME, is_name
from steer.store.files import Files
from steer.store.writable import writing

FOLDER = ".recipes"
_SUFFIX = ".json"


class RecipeFiles:
    """The texts of recipes by name."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> list[str]:
        """All names, sorted."""
        found = (
            file.removesuffix(_SUFFIX).replace("~", "/")
            for file in self._files.entries(FOLDER)
            if file.endswith(_SUFFIX)
        )
        return sorted(filter(is_name, found))

    def path(self, name: str) -> str:
        """The file of a name, below the root of the store. Raises InvalidRequest for a bad name."""
        if not is_name(name):
            raise InvalidRequest(
                f"not a recipe name: {name!r} (want {NAME.pattern}, at most {LONGEST_NAME} "
                "characters)",
                reason="BAD_NAME",
            )
        return f"{FOLDER}/{name.replace('/', '~')}{_SUFFIX}"

    def read(self, name: str) -> str:
        """The text of a recipe.

        Raises:
            InvalidRequest: ``name`` is not a name.
            NotFound: there is no such recipe; the message lists names.
            FailedPrecondition: the file can not be read, or is not UTF-8.
        """
        path = self.path(name)
        try:
            return self._files.read(path).decode()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(self._unknown(name), reason="RECIPE_NOT_FOUND") from None
        except (OSError, UnicodeDecodeError) as error:
            raise damaged(name, path, error) from error

    def write(self, name: str, text: str) -> None:
        """Keep a text under a name, in place of what was there. Durable when it returns.

        Raises InvalidRequest for a bad name, FailedPrecondition where nothing can be written.
        """
        path = self.path(name)
        with writing(f"the recipe {name!r} can not be stored", self._files.place):
            self._files.replace(path, text.encode())

    def delete(self, name: str) -> None:
        """Remove a text.

        Raises InvalidRequest for a bad name, NotFound where there is none, FailedPrecondition where
        nothing can be written.
        """
        path = self.path(name)
        if name not in self.names():
            raise NotFound(self._unknown(name), reason="RECIPE_NOT_FOUND")
        with writing(f"the recipe {name!r} can not be removed", self._files.place):
            self._files.remove(path)

    def _unknown(self, name: str) -> str:
        known = ", ".join(self.names()[:20]) or "none"
        return f"no recipe named {name!r}; stored: {known}"


def damaged(name: str, path: str, problem: object) -> FailedPrecondition:
    """The error for a recipe whose file is not what it should be."""
    message = f"recipe {name!r} is damaged: {path}: {problem}"
    return FailedPrecondition(message, reason="RECIPE_DAMAGED")
