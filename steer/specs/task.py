"""Problems of the caller's, with answers that can be checked."""

from dataclasses import dataclass

from steer.types import Extractor


@dataclass(frozen=True, slots=True)
class InlineTask:
    """A task of the caller's: one JSON object a line, with ``prompt`` and ``answer``.

    ``pattern``: of the extractor ``REGEX``; its first group, or without groups the whole match.
    """

    name: str
    jsonl: str
    extractor: Extractor = Extractor.EXACT
    pattern: str = ""
