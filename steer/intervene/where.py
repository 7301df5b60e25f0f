"""At which tokens: one multiplier for each token of a row, on the host. No torch.

A cursor follows one (row, intervention); it is shown every token once, in order, and answers with
a multiplier, 0 meaning untouched.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from steer.types import Phase, Where


class Cursor:
    """Evaluates a ``Where`` along one row.

    ``prompt_length`` is P; ``special`` the model's special token ids.
    """

    def __init__(self, where: Where, prompt_length: int, special: AbstractSet[int]) -> None:
        self._first, self._last = bounds(where.phase, prompt_length)
        self._predicts = prompt_length - 1
        self._skipped = frozenset() if where.include_special_tokens else special

    def take(self, start: int, tokens: Sequence[int]) -> list[float]:
        """Multipliers of the tokens at positions ``start, start + 1, …``."""
        return [self._multiplier(start + i, token) for i, token in enumerate(tokens)]

    def _multiplier(self, position: int, token: int) -> float:
        if not self._first <= position < self._last:
            return 0.0
        if position < self._predicts and token in self._skipped:
            return 0.0
        return 1.0


END = 1 << 62


def bounds(phase: Phase, prompt_length: int) -> tuple[int, int]:
    """Half-open range of positions of a phase."""
    return {
        Phase.PROMPT: (0, prompt_length),
        Phase.GENERATED: (prompt_length, END),
        Phase.DECODE: (prompt_length - 1, END),
        Phase.FIRST: (prompt_length - 1, prompt_length),
        Phase.ALL: (0, END),
    }[phase]


def touches_prompt(where: Where) -> bool:
    """Whether it can act before position P-1, so that the prompt's keys and values change."""
    return where.phase in (Phase.PROMPT, Phase.ALL)
