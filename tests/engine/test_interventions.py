"""Every op at every point, in every phase and architecture, against the definitions."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from steer.intervene import sites
from steer.types import Phase, Point, Site, Where
from tests.engine.cases import CROWD, Case, check_batch
from tests.engine.plans import prompt
from tests.engine.treatments import VARIANTS, some_treatment
from tests.helpers import BOS, CONFIGS, engine, network

LENGTHS = (1, 2, 5, 11, 25)


def every_op_point_and_phase(points: Sequence[Point]) -> list[Case]:
    """The whole product; layers, lengths and ``keep_norm`` go through their values meanwhile."""
    cases = []
    for number, (maker, point, phase) in enumerate(product(VARIANTS.values(), points, Phase)):
        for keep_norm in (False, True):
            site = Site((number + keep_norm) % 3, point)
            ids = prompt(number, LENGTHS[(number + number // 5 + keep_norm) % len(LENGTHS)])
            one = replace(maker(site, number), where=Where(phase), keep_norm=keep_norm)
            cases.append(Case(ids, [one]))
    return cases


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_op_at_every_point_in_every_phase_equals_its_definition(kind):
    cases = every_op_point_and_phase(sites.points(network(kind)))
    with engine(kind, CROWD) as running:
        check_batch(running, kind, cases, max_tokens=4, alone=10)


def anything(chance: random.Random, points: Sequence[Point]) -> Case:
    """A row with up to four interventions of any kind, anywhere, at any tokens, behind any gate."""
    some = [some_treatment(chance, points, layers=3) for _ in range(chance.randint(1, 4))]
    ids = prompt(chance.randrange(9), chance.choice((*LENGTHS, 70)))
    if chance.random() < 0.3:
        ids = (BOS, *ids, BOS, *ids[:3])
    return Case(ids, some, forced=chance.choice([(), (), (15, 4, 77)]))


@pytest.mark.parametrize("kind", CONFIGS)
def test_rows_that_all_do_something_else_equal_their_definitions(kind):
    """Every op, where and gate, several in a row, in one batch; prompts come in pieces."""
    chance = random.Random(kind)
    points = sites.points(network(kind))
    cases = [anything(chance, points) for _ in range(80)]
    limits = replace(CROWD, step_tokens=150)
    with engine(kind, limits) as running:
        check_batch(running, kind, cases, max_tokens=9)
