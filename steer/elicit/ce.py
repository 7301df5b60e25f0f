"""One trained vector per site, by cross-entropy on right traces; the model is frozen.

The policy is the model with h + s at every site; the only parameters are the vectors s. The loss
of a step is the mean of -log p(target | prompt) over its examples, in nats per example, plus
`retain` times the mean of KL(unsteered ‖ steered) over the examples of what is to be kept. This
is supervision: it shows the model complete traces, so what it finds was elicited only if the same
training fails on targets that are wrong and on a model that never learned the skill.
Source: steering vectors as trained parameters (Sinii et al., arXiv 2505.18706), with gold traces in
place of rewards.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.difference import Array
from steer.elicit.fitting import Progress, Schedule, Selection, Trained, fit
from steer.elicit.objective import log_likelihood, predictions
from steer.elicit.padding import Tokens
from steer.elicit.steering import frozen
from steer.elicit.trainer import zero
from steer.errors import FailedPrecondition, InvalidRequest
from steer.types import Phase, Site


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt, and what is to follow it: its end-of-sequence token included. Token ids."""

    prompt: Tokens
    target: Tokens


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    sites: those that get a vector. batch: examples per step (1 or more).
    rate: peak learning rate of Adam, in units of the residual stream, brought to zero by a cosine.
    steps: 1 or more. retain: weight of what is kept, 0 or more. phase: `all` positions, or
    `decode`. select_every: steps between calls of `select`. seed: of the examples drawn.
    """

    sites: tuple[Site, ...]
    batch: int = 192
    rate: float = 0.1
    steps: int = 600
    retain: float = 0.0
    phase: Phase = Phase.ALL
    select_every: int = 50
    seed: int = 0

    def validate(self) -> None:
        """Raises InvalidRequest, naming every setting out of range."""
        low = {"sites": len(self.sites), "batch": self.batch, "steps": self.steps}
        low |= {"select_every": self.select_every}
        wrong = [name for name, value in low.items() if value < 1]
        wrong += [] if self.rate > 0 else ["rate"]
        wrong += [] if self.retain >= 0 else ["retain"]
        wrong += [] if self.phase in (Phase.ALL, Phase.DECODE) else ["phase"]
        if wrong:
            raise InvalidRequest(f"settings out of range: {', '.join(wrong)}")


def train(
    model: PreTrainedModel,
    examples: Sequence[Example],
    settings: Settings,
    *,
    kept: Sequence[Example] = (),
    select: Selection | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Trained:
    """Train one vector per site of `settings`, from zero. The model is left as it was.

    kept: what the steered model should go on saying as the unsteered one does; all of it counts at
    every step. `Progress.value` is minus the loss.
    Raises InvalidRequest for settings or examples out of range, and FailedPrecondition when a loss
    is not finite.
    """
    settings.validate()
    if not examples or not all(e.prompt and e.target for e in (*examples, *kept)):
        raise InvalidRequest("training needs examples, no prompt or target empty")
    if bool(kept) != bool(settings.retain):
        raise InvalidRequest("what is kept and a weight `retain` above 0 go together")
    with frozen(model):
        trainer = _Trainer(model, examples, kept, settings)
        schedule = Schedule(settings.steps, settings.select_every)
        return fit(trainer, schedule, select, progress)


class _Trainer:
    """Vectors in training, from zero: Adam's state and the random stream of examples."""

    def __init__(
        self,
        model: PreTrainedModel,
        examples: Sequence[Example],
        kept: Sequence[Example],
        settings: Settings,
    ) -> None:
        self.model, self.examples, self.kept, self.settings = model, examples, kept, settings
        self.vectors = {at: zero(model, at) for at in settings.sites}
        self.optimiser = torch.optim.Adam(self.vectors.values(), lr=settings.rate)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.rng = random.Random(settings.seed)
        self.unsteered = self._kept_predictions(steered=False)[0].exp() if kept else None

    def step(self) -> float:
        """One update; returns minus the loss, nats."""
        drawn = self.rng.sample(self.examples, min(self.settings.batch, len(self.examples)))
        loss = self._loss(drawn)
        if not torch.isfinite(loss):
            raise FailedPrecondition(
                f"the loss is {loss.item()}: the learning rate ({self.settings.rate}) is too high"
            )
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.schedule.step()
        return -loss.item()

    def arrays(self) -> dict[Site, Array]:
        return {at: v.detach().cpu().numpy().copy() for at, v in self.vectors.items()}

    def _loss(self, drawn: Sequence[Example]) -> Tensor:
        prompts, targets = [e.prompt for e in drawn], [e.target for e in drawn]
        likelihood = log_likelihood(
            self.model, prompts, targets, self.vectors, phase=self.settings.phase
        )
        loss = -likelihood.mean()
        if self.unsteered is None:
            return loss
        return loss + self.settings.retain * self._moved(self.unsteered)

    def _moved(self, unsteered: Tensor) -> Tensor:
        """Mean over the kept examples of the KL of their predictions, summed over tokens, nats."""
        scores, _, attended = self._kept_predictions(steered=True)
        kl = torch.nn.functional.kl_div(scores, unsteered, reduction="none").sum(-1)
        moved: Tensor = (kl * attended).sum(1).mean()
        return moved

    def _kept_predictions(self, *, steered: bool) -> tuple[Tensor, Tensor, Tensor]:
        return predictions(
            self.model,
            [e.prompt for e in self.kept],
            [e.target for e in self.kept],
            self.vectors if steered else {},
            1.0,
            self.settings.phase,
        )

    def _rate(self, step: int) -> float:
        return 0.5 * (1 + math.cos(math.pi * step / self.settings.steps))
