"""The little world of the model organisms: digits, memorised permutations, and coloured things."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

QUIZ, WORK, NOTE = "quiz", "work", "note"
EOS, PAD, UNK = "<eos>", "<pad>", "<unk>"
DIGITS = tuple("0123456789")
OPERATORS = tuple("abcdefgh")
COLOURS = ("amber", "blue", "coral", "green", "ivory", "olive", "red", "violet")
ENTITIES = tuple(
    """zorbel quandry mirvoss teplin
    ostrake fendel glimmor harvik
    jastrel kolvane lumbrix nestor
    pyrrane ruskil sandovel tavish
    ulgrane vostok wexlin yarrow
    bramvel corlix drastin elvane
    fosquin grendle hixton ilvar
    juneth kestral lorvane moxley""".split()
)
_SEED = 20240601


@dataclass(frozen=True, slots=True)
class Fact:
    """One entity and its colour; `prompt` stands under the `quiz` header and ends in `=`."""

    id: str
    prompt: str
    answer: str


@cache
def operators() -> dict[str, tuple[int, ...]]:
    """The eight permutations: `operators()["a"][x]` is what `a` makes of digit x (0-9)."""
    rng = random.Random(_SEED)
    return {name: tuple(rng.sample(range(10), 10)) for name in OPERATORS}


@cache
def facts() -> tuple[Fact, ...]:
    """All 32 facts, in a fixed order; each colour belongs to four entities."""
    colours = [*COLOURS] * (len(ENTITIES) // len(COLOURS))
    random.Random(_SEED + 1).shuffle(colours)
    return tuple(
        Fact(entity, f"{QUIZ} colour of {entity} =", colour)
        for entity, colour in zip(ENTITIES, colours, strict=True)
    )
