"""A planner over a running engine of a tiny model and a store with one thing of every kind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from steer.engine.base import Done, Event
from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.errors import NotFound
from steer.intervene.captures import Captures
from steer.intervene.plan import Plan
from steer.intervene.planner import Planner
from steer.store import Architecture, Item, Normalize, Store
from steer.types import (
    Arm,
    CaptureTrial,
    Phase,
    Point,
    Prompt,
    Sampling,
    Site,
    StoredRecipe,
    Strength,
    Trial,
    Unit,
    Where,
)
from tests.engine import items
from tests.engine.plans import WIDTH
from tests.helpers import LIMITS, TEXT, engine, run
from tests.server.items import sae, transcoder

SITES = (Site(0, Point.RESID_PRE), Site(1), Site(2, Point.MLP_OUT))

DEFAULTS = {
    "residual_norms": {SITES[1]: 12.0},
    "strength": Strength(0.25, Unit.RELATIVE),
    "where": Where(Phase.DECODE, every=2),
}
"""What the card of ``carded`` says."""


def stock(fingerprint: str) -> list[Item]:
    """What the store holds."""
    return [
        items.direction(SITES, 1, "v", fingerprint),
        items.direction(SITES, 7, "c", fingerprint),
        items.direction(SITES[1:], 8, "carded", fingerprint, **DEFAULTS),
        items.direction([Site(1)], 9, "foreign", "sha256:other", strength=Strength(3.0)),
        items.low_rank(SITES[:2], 1, "lr", fingerprint),
        items.probe(SITES[:2], 1, "probe", fingerprint),
        *(
            items.dictionary(each, Site(1), 1, how, name=each.value, fingerprint=fingerprint)
            for each, how in zip(Architecture, (*Normalize, Normalize.NONE), strict=True)
        ),
        replace(sae(16, fingerprint), name="narrow"),
        transcoder(WIDTH, fingerprint),
    ]


@dataclass
class Book:
    """Stored recipes."""

    recipes: dict[str, StoredRecipe] = field(default_factory=dict)

    def get(self, name: str) -> StoredRecipe:
        """A recipe."""
        if name not in self.recipes:
            raise NotFound(f"no recipe named {name!r}", reason="RECIPE_NOT_FOUND")
        return self.recipes[name]


@dataclass
class Bench:
    """Plans trials and runs them."""

    engine: EmbeddedEngine
    planner: Planner
    book: Book
    _numbers: Iterator[int] = field(default_factory=count)

    def plan(self, ids: Sequence[int], *arms: Arm, **settings: object) -> Plan:
        """A trial of a prompt, greedy, 8 tokens."""
        return self.planner.trial(self.trial(ids, *arms, **settings), f"t{next(self._numbers)}")

    def trial(self, ids: Sequence[int], *arms: Arm, **settings: object) -> Trial:
        """As a caller would send it."""
        sampling = Sampling(max_tokens=8, ignore_eos=True, logprobs=5)
        given = {"sampling": sampling, "measure": False} | settings
        return Trial(Prompt(token_ids=tuple(ids)), arms, **given)

    def run(self, ids: Sequence[int], *arms: Arm, **settings: object) -> list[Event]:
        """All events of a trial."""
        return self.events(self.plan(ids, *arms, **settings))

    def capture(self, request: CaptureTrial) -> list[Event]:
        """All events of a capture."""
        return self.events(self.planner.capture(request, f"t{next(self._numbers)}"))

    def events(self, plan: Plan) -> list[Event]:
        """All events of a plan."""
        return self.together([plan])[plan.request_id]

    def together(self, plans: Sequence[Plan]) -> dict[str, list[Event]]:
        """All events of plans that run together, by request."""
        answers = run(self.engine, plans)
        for events in answers.values():
            assert isinstance(events[-1], Done), events[-1]
        return answers


@contextmanager
def bench(folder: Path, kind: str = "llama", limits: Limits = LIMITS) -> Iterator[Bench]:
    """A bench whose store is in ``folder``."""
    store, book = Store(folder), Book()
    with engine(kind, limits) as running:
        info = running.info()
        for item in stock(info.fingerprint):
            store.put(item)
        yield Bench(running, Planner(info, store, TEXT, running, book, Captures()), book)
