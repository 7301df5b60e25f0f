"""Arms branched over their first tokens, and what comes of the branches."""

from dataclasses import dataclass
from enum import StrEnum


class Extractor(StrEnum):
    """How the answer is found in a completion: the whole text, the last number, the last choice
    letter, the last match of a regular expression (RE2), the last line that is not empty, or the
    last mathematical expression (Math-Verify)."""

    EXACT = "exact"
    NUMBER = "number"
    CHOICE = "choice"
    REGEX = "regex"
    LAST_LINE = "last_line"
    MATH = "math"


@dataclass(frozen=True, slots=True)
class Branching:
    """Each arm is branched over its ``k`` most likely first tokens; each branch goes on greedily
    (CoT-decoding, Wang and Zhou, arXiv 2402.10200). Sample i begins with the i-th; 0 is greedy.

    The first token is the one after the forced prefix. ``extractor``, ``pattern``: what of a
    branch's text is the answer, whose tokens its confidence is taken over.
    """

    k: int
    extractor: Extractor = Extractor.NUMBER
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of an arm; its text is that of the arm's sample ``rank``.

    ``rank``: of its first token, 0 the most likely. ``logprob``: of its tokens from the first on,
    ``tokens`` of them, nats; None where the computation broke down. ``answer``: None when none is
    found in its text; ``span``: the generated tokens it is written in, half open, forced ones
    counted. ``confidence``: the mean of p(most likely) - p(second) over the span, None without one.
    """

    rank: int
    first_token: int | None
    tokens: int
    logprob: float | None
    answer: str | None = None
    span: tuple[int, int] | None = None
    confidence: float | None = None

    @property
    def mean_logprob(self) -> float | None:
        """Log-probability by length, nats per token."""
        return None if self.logprob is None else self.logprob / self.tokens


@dataclass(frozen=True, slots=True)
class BranchedAnswer:
    """An answer and the branches that give it, best first by confidence, which is summed up."""

    answer: str
    confidence: float
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """The rank of the branch that each rule chooses; None where nothing can be chosen.

    ``confidence``: the surest answer; ``aggregated``: the surest branch of the answer with the
    largest sum. ``logprob``, ``mean_logprob`` and ``random`` are controls: rules that know nothing
    of answers. Greedy decoding is rank 0. Of equals, the lowest rank.
    """

    confidence: int | None
    aggregated: int | None
    logprob: int | None
    mean_logprob: int | None
    random: int


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of one arm by rank, the answers they give, best first, and what is chosen."""

    arm: str
    branches: tuple[Branch, ...]
    answers: tuple[BranchedAnswer, ...]
    choices: Choices
