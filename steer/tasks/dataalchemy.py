"""DataAlchemy: compositions of two transformations of four letters, with every step written.

F1 moves each letter 13 places on in the alphabet (ROT13), F2 moves the first letter to the end. A
problem is `A B C D F1 F2 <think>`; its document goes on `N O P Q F2 <answer> O P Q N <eos>`: the
letters after the first transformation, what is left to do, and the answer. A model that has
learned some compositions is asked for others: what it has not seen it imitates wrongly.
Source: Zhao et al., arXiv 2508.01191 (framework, transformations, form of the documents).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase as LETTERS

from steer.errors import InvalidRequest
from steer.tasks.splits import bucket
from steer.tasks.task import Cues, Grade, Item, Trace
from steer.tasks.world import EOS, PAD, UNK
from steer.types import Prompt

F1, F2 = "F1", "F2"
THINK, ANSWER = "<think>", "<answer>"
LENGTH = 4
MOST = 10_000
"""Problems that are drawn of a split: drawing more would meet ever fewer new ones."""
WORDS = (PAD, EOS, UNK, THINK, ANSWER, F1, F2, *LETTERS)

Composition = tuple[str, str]
KNOWN: tuple[Composition, ...] = ((F1, F1), (F1, F2), (F2, F1))
NEW: Composition = (F2, F2)

# Buckets by a hash of the letters, so that no string of a split is in another's.
STRINGS: Mapping[str, range] = {
    "train": range(90),
    "select": range(90, 95),
    "report": range(95, 100),
    "composition": range(95, 100),
}


def transformed(name: str, letters: Sequence[str]) -> tuple[str, ...]:
    """The letters after one transformation."""
    if name == F1:
        return tuple(LETTERS[(LETTERS.index(letter) + 13) % 26] for letter in letters)
    return (*letters[1:], letters[0])


def problem(letters: Sequence[str], composition: Composition) -> Item:
    """The item of these letters; its trace is the first step, and its template the composition."""
    first, second = composition
    step = transformed(first, letters)
    asked = " ".join((*letters, first, second))
    return Item(
        id=asked,
        prompt=Prompt(text=f"{asked} {THINK}"),
        answer=" ".join(transformed(second, step)),
        template=f"{first} {second}",
        trace=(" ".join((*step, second)),),
    )


def drawn(compositions: Sequence[Composition], split: str, rng: random.Random) -> Iterator[Item]:
    """Problems without end, the compositions equally often, strings of the split."""
    while True:
        letters = rng.choices(LETTERS, k=LENGTH)
        if bucket("".join(letters)) in STRINGS[split]:
            yield problem(letters, rng.choice(compositions))


def documents(
    rng: random.Random, n: int, compositions: Sequence[Composition] = KNOWN
) -> Iterator[str]:
    """`n` documents of the split `train`."""
    source = drawn(compositions, "train", rng)
    for _ in range(n):
        item = next(source)
        yield f"{item.prompt.text} {item.trace[0]} {ANSWER} {item.answer} {EOS}"


@dataclass(frozen=True)
class DataAlchemyTask:
    """`select` and `report` ask for known compositions of new strings, `composition` for the one
    that was never trained, though both of its parts were."""

    name: str = "dataalchemy"
    description: str = "Two transformations of four letters, known or newly composed."
    max_tokens: int = 16
    choices: int | None = len(LETTERS) ** LENGTH
    splits: tuple[str, ...] = tuple(STRINGS)

    @property
    def cues(self) -> Cues:
        return Cues(answer_only=ANSWER, filler=UNK)

    def most(self, split: str) -> int:
        if split not in STRINGS:
            raise InvalidRequest(
                f"task {self.name}: unknown split {split!r}; there are {', '.join(STRINGS)}"
            )
        return MOST

    def items(self, split: str, n: int, seed: int = 0) -> Sequence[Item]:
        self.most(split)
        return sample((NEW,) if split == "composition" else KNOWN, split, n, seed)

    def retention(self) -> Sequence[Item]:
        return ()

    def grade(self, item: Item, text: str) -> Grade:
        """Step and answer each count only as a whole, as in the paper."""
        reasoning, _, rest = text.partition(ANSWER)
        step = " ".join(reasoning.replace(THINK, " ").split())
        answer = " ".join(rest.replace(EOS, " ").split()) or None
        steps = (step,) if step else ()
        right = steps == item.trace
        correct = answer == item.answer
        return Grade(
            answer,
            correct,
            Trace(steps, bool(steps), right and correct, float(right), _follows(step, answer)),
        )

    def cued(self, item: Item) -> Prompt | None:
        return None

    def traced(self, item: Item, steps: Sequence[str]) -> str:
        return " ".join(steps)

    def solution(self, item: Item) -> str:
        return " ".join((*item.trace, ANSWER, item.answer))


def sample(compositions: Sequence[Composition], split: str, n: int, seed: int) -> list[Item]:
    """`n` different problems. Raises InvalidRequest for an `n` outside 0 to 10000."""
    if not 0 <= n <= MOST:
        raise InvalidRequest(f"n must be 0 to {MOST}, not {n}")
    source = drawn(compositions, split, random.Random(f"dataalchemy/{split}/{seed}"))
    found = dict[str, Item]()
    while len(found) < n:
        item = next(source)
        found[item.id] = item
    return list(found.values())


def task() -> DataAlchemyTask:
    """The task `dataalchemy`."""
    return DataAlchemyTask()


def _follows(step: str, answer: str | None) -> bool | None:
    *letters, left = step.split() or [""]
    well_formed = left in (F1, F2) and len(letters) == LENGTH and set(letters) <= set(LETTERS)
    if answer is None or not well_formed:
        return None
    return answer == " ".join(transformed(left, letters))
