"""Latents of dictionaries: several at one site."""

from dataclasses import replace
from itertools import product

import pytest

from steer.store import Architecture, Normalize
from steer.types import Phase, Site, Where
from tests.engine import items, treatments
from tests.engine.cases import CROWD, Case, check_batch
from tests.engine.plans import prompt
from tests.engine.treatments import Treatment
from tests.helpers import engine

SITE = Site(1)
WAYS = list(product(Architecture, Normalize, (False, True)))


def some(number: int, targets: treatments.Targets) -> Treatment:
    """Edits of a dictionary of any architecture, normalisation and bias."""
    architecture, normalize, subtract = WAYS[number % len(WAYS)]
    dictionary = items.dictionary(architecture, SITE, number, normalize, subtract)
    return treatments.feature(dictionary, targets, strength=1 - 0.5 * (number % 2))


@pytest.mark.parametrize("phase", [Phase.ALL, Phase.GENERATED])
def test_every_dictionary_reads_h_before_anything_at_its_site(phase):
    """Something else acts first, then latents of several dictionaries, then something again."""
    first = (treatments.add, treatments.project, treatments.rotate, treatments.constant)
    cases = []
    for number in range(len(WAYS)):
        row = [
            first[number % 4](SITE, number),
            some(number, [(3, "set", 4.0), (5, "scale", -1.0)]),
            some(number + 5, [(3, "add", 2.0)]),
            treatments.low_rank(SITE, number),
            some(number + 11, [(0, "set", 3.0), (1, "add", 1.0), (2, "scale", 2.0)]),
        ]
        where = Where(phase)
        cases.append(Case(prompt(number, 5 + number), [replace(one, where=where) for one in row]))
    with engine(limits=CROWD) as running:
        check_batch(running, "llama", cases, max_tokens=6, alone=3)
