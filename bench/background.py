"""An organism behind an engine, as runs have it."""

from collections.abc import Iterator
from contextlib import contextmanager

from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.models.load import load
from steer.runs.background import Background
from steer.server.recipe_book import RecipeBook
from steer.store import Store, bundled
from steer.store.files import open_files
from steer.store.recipes import RecipeFiles

LIMITS = Limits(max_rows=256, kv_tokens=256 * 128, step_tokens=512, max_queue=4096)


@contextmanager
def engine(model: str) -> Iterator[Background]:
    """An organism with the bundled vectors."""
    loaded, store = load(model), Store(bundled())
    running = EmbeddedEngine(loaded, LIMITS)
    recipes = RecipeBook(RecipeFiles(open_files(store.root)))
    planner = Planner(running.info(), store, loaded.text, running, recipes, Captures())
    try:
        yield Background(running, planner)
    finally:
        running.close()
