"""The recipes a server keeps, behind either client."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING

from steer.client import calls
from steer.client.recipe import Recipe
from steer.types import Intervention

if TYPE_CHECKING:
    from steer.client.async_client import AsyncClient
    from steer.client.client import Client


class Recipes:
    """Stored recipes; ``steer.arm(stored=name)`` names them in a request."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def put(
        self,
        name: str,
        recipe: Recipe | Intervention | Iterable[Recipe | Intervention],
        *,
        description: str | None = None,
        timeout: float | None = None,
    ) -> Recipe:
        """Keep a recipe under a name, in the place of what was there. Without ``description`` it is
        the recipe's own. Returns it with its content hash."""
        return self._client._unary(calls.put_recipe(name, recipe, description), timeout)

    def get(self, name: str, *, timeout: float | None = None) -> Recipe:
        """One stored recipe. Raises NotFound."""
        return self._client._unary(calls.get_recipe(name), timeout)

    def list(self, *, timeout: float | None = None) -> Iterator[Recipe]:
        """Stored recipes by name; pages are fetched as they are needed."""
        token, more = "", True
        while more:
            recipes, token = self._client._unary(calls.list_recipes(token), timeout)
            yield from recipes
            more = bool(token)

    def delete(self, name: str, *, timeout: float | None = None) -> None:
        """Remove a stored recipe. Raises NotFound."""
        self._client._unary(calls.delete_recipe(name), timeout)


class AsyncRecipes:
    """The same for asyncio."""

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    async def put(
        self,
        name: str,
        recipe: Recipe | Intervention | Iterable[Recipe | Intervention],
        *,
        description: str | None = None,
        timeout: float | None = None,
    ) -> Recipe:
        """Keep a recipe under a name, in the place of what was there. Without ``description`` it is
        the recipe's own. Returns it with its content hash."""
        return await self._client._unary(calls.put_recipe(name, recipe, description), timeout)

    async def get(self, name: str, *, timeout: float | None = None) -> Recipe:
        """One stored recipe. Raises NotFound."""
        return await self._client._unary(calls.get_recipe(name), timeout)

    async def list(self, *, timeout: float | None = None) -> AsyncIterator[Recipe]:
        """Stored recipes by name; pages are fetched as they are needed."""
        token, more = "", True
        while more:
            recipes, token = await self._client._unary(calls.list_recipes(token), timeout)
            for recipe in recipes:
                yield recipe
            more = bool(token)

    async def delete(self, name: str, *, timeout: float | None = None) -> None:
        """Remove a stored recipe. Raises NotFound."""
        await self._client._unary(calls.delete_recipe(name), timeout)
