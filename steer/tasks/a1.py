"""A1, the mode task with markers: chains of six operators, `... = THINK 4 9 1 0 7 5 ANSWER 5`.

Because a direct answer begins with the one token `ANSWER` and a trace with `THINK`, a preference
for one token is enough to change the mode: this task calibrates, it proves nothing about content.
Source: design A1.
"""

from __future__ import annotations

from steer.tasks.chain_task import ChainTask
from steer.tasks.chains import ANSWER, SPLITS, THINK, Chain, Parsed, Problem, worksheet
from steer.tasks.task import Cues
from steer.tasks.world import (
    COLOURS,
    DIGITS,
    ENTITIES,
    EOS,
    OPERATORS,
    PAD,
    QUIZ,
    UNK,
    WORK,
    Fact,
    facts,
    operators,
)

CHAIN = Chain("a1", steps=6, marked=True, truncated=0.06)
STEPS = CHAIN.steps
problems, split_of, tokens, documents = (
    CHAIN.problems,
    CHAIN.split_of,
    CHAIN.tokens,
    CHAIN.documents,
)
parse, answer, correct, thinks, valid_trace = (
    CHAIN.parse,
    CHAIN.answer,
    CHAIN.correct,
    CHAIN.thinks,
    CHAIN.valid_trace,
)


def task() -> ChainTask:
    """The task `a1`."""
    return ChainTask(
        CHAIN,
        "Chains of six operators with markers: the calibration task of organism A1.",
        Cues(
            forced_prefix=THINK,
            answer_only=ANSWER,
            bias_tokens={ANSWER: (-2, -3, -5, -6, -8, -10)},
            filler=":",
        ),
    )


__all__ = [
    "ANSWER",
    "CHAIN",
    "COLOURS",
    "DIGITS",
    "ENTITIES",
    "EOS",
    "OPERATORS",
    "PAD",
    "QUIZ",
    "SPLITS",
    "STEPS",
    "THINK",
    "UNK",
    "WORK",
    "Fact",
    "Parsed",
    "Problem",
    "answer",
    "correct",
    "documents",
    "facts",
    "operators",
    "parse",
    "problems",
    "split_of",
    "task",
    "thinks",
    "tokens",
    "valid_trace",
    "worksheet",
]
