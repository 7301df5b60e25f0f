"""Cards of the bundled vectors: what all of them say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from steer.elicit.activations import mean_norm, residuals
from steer.elicit.bench import Bench
from steer.elicit.sampling import complete
from steer.elicit.steering import untouched
from steer.store import Card
from steer.store.used import USED
from steer.tasks.chains import Problem
from steer.types import Site, Where

_PROMPTS = 1000


def card(
    bench: Bench,
    sites: Sequence[Site],
    *,
    method: str,
    description: str,
    parameters: Mapping[str, Any],
    data_hash: str,
    measured: Mapping[str, Any],
    kind: str = "direction",
) -> Card:
    """The card of something made for the bench's organism, at these sites."""
    return Card(
        model=bench.loaded.id,
        revision=bench.loaded.revision,
        fingerprint=bench.loaded.fingerprint,
        d_model=bench.loaded.d_model,
        sites=tuple(sites),
        kind=kind,
        method=method,
        description=description,
        # What an evaluation must not report on.
        parameters={**parameters, USED: {bench.task.name: ["train", "select"]}},
        residual_norms=_residual_norms(bench, sites),
        where=Where(phase=bench.phase),
        data_hash=data_hash,
        measured={"split": "report", "unit": "percent", **measured},
        licence="Apache-2.0",
    )


def data_hash(problems: Iterable[Problem]) -> str:
    """Of the prompts, in order."""
    text = "\n".join(problem.prompt for problem in problems)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _residual_norms(bench: Bench, sites: Sequence[Site]) -> dict[Site, float]:
    """Mean ‖h‖ at the sites and after each block, of the unsteered model on its own greedy answers,
    at the positions where the vectors act."""
    items = bench.task.items("train", _PROMPTS)
    prompts = [bench.encode(item.prompt.text or "") for item in items]
    answers = complete(bench.network, prompts, {}, max_tokens=bench.task.max_tokens)
    # The last generated token predicts nothing, so it is never fed.
    rows = [[*p, *answer[:-1]] for p, answer in zip(prompts, answers, strict=True)]
    after = map(Site, range(bench.network.config.num_hidden_layers))
    wanted = sorted({*after, *sites})
    starts = [untouched(len(prompt), bench.phase) for prompt in prompts]
    hidden = residuals(bench.network, rows, wanted, starts=starts)
    return {at: round(mean_norm(hidden[at]), 4) for at in wanted}
