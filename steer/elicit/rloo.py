"""One trained vector per layer, by REINFORCE with a leave-one-out baseline; the model is frozen.

The policy is the model with h + s_l added after block l at every position that predicts a
generated token (phase `decode`); the only parameters are the s_l. With G sampled completions of
a prompt and rewards r_i, the advantage is A_i = r_i - mean of the other rewards, and the step
follows the gradient of mean_i A_i log p(completion_i). Sources: RLOO (Ahmadian et al., arXiv
2402.14740); steering vectors as the trained parameters (Sinii et al., arXiv 2505.18706).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transformers import PreTrainedModel

from steer.elicit.fitting import Progress, Schedule, Selection, Trained, fit
from steer.elicit.padding import Tokens
from steer.elicit.settings import Settings
from steer.elicit.steering import frozen
from steer.elicit.trainer import Reward, Trainer
from steer.errors import InvalidRequest


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
    schedule = Schedule(settings.steps, settings.select_every, settings.enough)
    with frozen(model):
        return fit(Trainer(model, prompts, reward, settings), schedule, select, progress)
