"""One trained vector per layer, by REINFORCE with a leave-one-out baseline; the model is frozen.

The policy is the model with h + s_l added after block l at every position that predicts a
generated token (phase `decode`); the only parameters are the s_l. With G sampled completions of
a prompt and rewards r_i, the advantage is A_i = r_i - mean of the other rewards, and the step
follows the gradient of mean_i A_i log p(completion_i). Sources: RLOO (Ahmadian et al., arXiv
2402.14740); steering vectors as the trained parameters (Sinii et al., arXiv 2505.18706).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from transformers import PreTrainedModel

from steer.elicit.difference import Array
from steer.elicit.padding import Tokens
from steer.elicit.settings import Settings
from steer.elicit.steering import frozen
from steer.elicit.trainer import Reward, Trainer
from steer.errors import InvalidRequest

Selection = Callable[[Mapping[int, Array]], float]
"""`select(vectors)`: how good the vectors are on data kept apart; higher is better."""


@dataclass(frozen=True, slots=True)
class Progress:
    """After one step. reward: mean over all samples. norm: ‖s_l‖ by layer.
    selected: what `select` returned, None when it was not called at this step."""

    step: int
    reward: float
    norm: Mapping[int, float]
    selected: float | None


@dataclass(frozen=True, slots=True)
class Trained:
    """vectors: float32 (d_model,) by layer, those of `step`: the best by `select`, else the
    last. history: one entry per step taken."""

    vectors: Mapping[int, Array]
    step: int
    history: tuple[Progress, ...]


def train(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    reward: Reward,
    settings: Settings,
    *,
    select: Selection | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train one vector per layer of `settings`, from zero.

    prompts: token ids, of any lengths of at least one. The model is left as it was.
    Raises InvalidRequest for settings or prompts out of range, NoRewardVariance when the first
    `patience` steps show no variance of rewards within any prompt, and FailedPrecondition when a
    loss is not finite.
    """
    settings.validate()
    if not prompts or not all(prompts):
        raise InvalidRequest("training needs prompts, none of them empty")
    history: list[Progress] = []
    best, best_score = Trained({}, 0, ()), -math.inf
    with frozen(model):
        trainer = Trainer(model, prompts, reward, settings)
        for step in range(1, settings.steps + 1):
            mean = trainer.step()
            due = step % settings.select_every == 0 or step == settings.steps
            vectors = trainer.arrays()
            score = select(vectors) if select is not None and due else None
            history.append(Progress(step, mean, _norms(vectors), score))
            progress(history[-1])
            if select is None or (score is not None and score > best_score):
                best, best_score = Trained(vectors, step, ()), score or 0.0
            if score is not None and score >= settings.enough:
                break
    return replace(best, history=tuple(history))


def _norms(vectors: Mapping[int, Array]) -> dict[int, float]:
    return {layer: float(np.linalg.norm(vector)) for layer, vector in vectors.items()}
