"""The vectors while they are trained: one step samples, rewards and follows the gradient."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.difference import Array, checked
from steer.elicit.objective import advantages, log_likelihood
from steer.elicit.padding import Tokens
from steer.elicit.sampling import complete
from steer.elicit.settings import Settings
from steer.errors import FailedPrecondition
from steer.types import Site

Reward = Callable[[int, Tokens], float]
"""`reward(i, completion)`: the reward of a completion of prompt i. The completion is token ids
without the prompt; it ends with the end-of-sequence token if the model got that far."""


class NoRewardVariance(FailedPrecondition):
    """Every completion of a prompt got the same reward, step after step: nothing to learn from."""

    default_reason = "NO_REWARD_VARIANCE"


class Trainer:
    """Vectors in training, from zero: Adam's state, the random streams, the idle steps."""

    def __init__(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Tokens],
        reward: Reward,
        settings: Settings,
    ) -> None:
        self.model, self.prompts, self.reward, self.settings = model, prompts, reward, settings
        self.vectors = {Site(layer): zero(model, Site(layer)) for layer in settings.layers}
        self.optimiser = torch.optim.Adam(self.vectors.values(), lr=settings.rate)
        self.rng = random.Random(settings.seed)
        self.generator = torch.Generator(model.device).manual_seed(settings.seed)
        self.idle = 0

    def step(self) -> float:
        """One update; returns the mean reward of its samples."""
        chosen = self.rng.sample(
            range(len(self.prompts)), min(self.settings.prompts, len(self.prompts))
        )
        rows = [index for index in chosen for _ in range(self.settings.group)]
        completions = self._complete(rows)
        rewards = torch.tensor(
            [float(self.reward(i, done)) for i, done in zip(rows, completions, strict=True)]
        )
        advantage = advantages(rewards.view(len(chosen), -1)).flatten()
        # Without variance there is no gradient, yet Adam's momentum would still move the vector.
        if advantage.any():
            self.idle = -1
            self._update(rows, completions, advantage)
        elif self.idle >= 0:
            self._count_idle(float(rewards.mean()))
        return float(rewards.mean())

    def arrays(self) -> dict[Site, Array]:
        return {at: v.detach().cpu().numpy().copy() for at, v in self.vectors.items()}

    def _complete(self, rows: Sequence[int]) -> list[list[int]]:
        return complete(
            self.model,
            [self.prompts[i] for i in rows],
            {at: vector.detach() for at, vector in self.vectors.items()},
            max_tokens=self.settings.max_tokens,
            temperature=self.settings.temperature,
            generator=self.generator,
        )

    def _update(
        self, rows: Sequence[int], completions: Sequence[Tokens], advantage: Tensor
    ) -> None:
        prompts = [self.prompts[i] for i in rows]
        likelihood = log_likelihood(
            self.model, prompts, completions, self.vectors, self.settings.temperature
        )
        loss = -(advantage.to(likelihood.device) * likelihood).mean()
        if not torch.isfinite(loss):
            raise FailedPrecondition(
                f"the loss is {loss.item()}: a reward is not finite, or the learning rate "
                f"({self.settings.rate}) is too high"
            )
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()

    def _count_idle(self, mean: float) -> None:
        self.idle += 1
        if self.idle >= self.settings.patience:
            raise NoRewardVariance(
                f"no variance of rewards within any prompt in {self.idle} steps (mean {mean:.3g}): "
                "the wanted behaviour is never, or always, sampled"
            )


def zero(model: PreTrainedModel, at: Site) -> Tensor:
    """A vector to train, (d_model,). Raises InvalidRequest for a layer the model does not have."""
    checked(model, at)
    width = model.config.get_text_config(decoder=True).hidden_size
    return torch.zeros(width, device=model.device, requires_grad=True)
