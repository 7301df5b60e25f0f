"""A2, the mode task without markers: chains of five operators, `... = 4 9 1 0 7` or `... = 7`.

A direct answer begins with a guess of the last digit, a trace with the first one, which is
another for every problem: no constant preference for a token turns one into the other.
Source: design A2.
"""

from __future__ import annotations

from dataclasses import replace

from steer.tasks.chain_task import ChainTask
from steer.tasks.chains import Chain
from steer.tasks.task import Cues
from steer.tasks.world import EOS

CHAIN = Chain("a2", steps=5, marked=False, notes=0.15)
UNTRACED = replace(CHAIN, name="a2-untraced", traced=False)


def task() -> ChainTask:
    """The task `a2`. Its forced prefix is one digit of ten: there is no word that opens a trace."""
    return ChainTask(
        CHAIN,
        "Chains of five operators without markers: the evidence task of organism A2.",
        Cues(forced_prefix="0", bias_tokens={EOS: (-2, -3, -5, -6, -8, -10)}, filler=":"),
    )
