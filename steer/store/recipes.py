"""Recipes as texts: one file ``.recipes/<name>.json`` for each, with ``~`` for the ``/`` of a name.

A file is replaced whole and durably, so of two writers the last one wins and a crash leaves the old
or the new. What the texts say is not known here; ``protos/steer/v1/recipe.proto`` does.
"""

import secrets
from contextlib import suppress

from steer.errors import FailedPrecondition, InvalidRequest, NotFound
from steer.store.address import NAME, is_name
from steer.store.files import Files
from steer.store.writable import writing

FOLDER = ".recipes"
LONGEST_NAME = 200
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
        return sorted(name for name in found if _is_name(name))

    def path(self, name: str) -> str:
        """The file of a name, below the root of the store. Raises InvalidRequest for a bad name."""
        if not _is_name(name):
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
        staged = self._files.staging / f"{secrets.token_hex(8)}.tmp"
        with writing(f"the recipe {name!r} can not be stored", self._files.place):
            try:
                staged.parent.mkdir(parents=True, exist_ok=True)
                staged.write_text(text, "utf-8")
                self._files.take(staged, path)
            except OSError:
                with suppress(OSError):
                    staged.unlink(missing_ok=True)
                raise

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


def _is_name(text: str) -> bool:
    return is_name(text) and len(text) <= LONGEST_NAME
