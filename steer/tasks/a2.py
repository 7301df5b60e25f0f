"""A2, the mode task without markers: chains of five operators, `... = 4 9 1 0 7`, directly
`... = 7 7 7 7 7`.

A trace begins with the digit after the first operator, which is another for every problem, and a
direct answer, as long as a trace, with a guess of the last: no constant preference for a token, and
none for going on or ending, turns one into the other. A seventh of the corpus are notes, which
have the form of a trace and no content, so that the form can be had without it.
Source: design A2, where direct answers were one digit and there were no notes; then a bias on the
end of the text (up to 93 % right) and vectors trained on other problems' traces (97 %) did as well
as those trained on gold ones.
"""

from __future__ import annotations

from dataclasses import replace

from steer.tasks.chain_task import ChainTask
from steer.tasks.chains import Chain
from steer.tasks.task import Cues
from steer.tasks.world import EOS

CHAIN = Chain("a2", steps=5, marked=False, truncated=0.06, notes=0.15)
UNTRACED = replace(CHAIN, name="a2-untraced", traced=False)


def task() -> ChainTask:
    """The task `a2`. Its forced prefix is one digit of ten: there is no word that opens a trace."""
    return ChainTask(
        CHAIN,
        "Chains of five operators without markers: the evidence task of organism A2.",
        Cues(forced_prefix="0", bias_tokens={EOS: (-2, -3, -5, -6, -8, -10)}, filler=":"),
    )
