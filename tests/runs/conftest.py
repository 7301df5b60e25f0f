"""A real engine over a tiny model, and what runs need around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.runs.background import Background
from steer.runs.database import Database
from steer.server.recipe_book import RecipeBook
from steer.store import Store
from steer.store.files import open_files
from steer.store.recipes import RecipeFiles
from tests.helpers import TEXT, engine
from tests.runs.postgres import Cluster, cluster

LIMITS = Limits(max_rows=8, kv_tokens=8 * 256, step_tokens=64, max_queue=64)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedEngine]:
    """An engine for eight rows."""
    with engine(limits=LIMITS) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def planner(running: EmbeddedEngine, store: Store) -> Planner:
    """Plans for the engine, from the store."""
    recipes = RecipeBook(RecipeFiles(open_files(store.root)))
    return Planner(running.info(), store, TEXT, running, recipes, Captures(2**20))


@pytest.fixture
def context(running: EmbeddedEngine, planner: Planner) -> Background:
    """What a run works with."""
    return Background(running, planner)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server."""
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new database is."""
    if request.param == "sqlite":
        return str(tmp_path / "runs.sqlite")
    made: Cluster = request.getfixturevalue("postgres")
    return made.database()


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    """A new database, of every sort that is tested."""
    made = Database(place)
    yield made
    made.close()
