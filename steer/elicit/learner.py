"""The vectors while they are trained: gradients are gathered, then Adam takes a step.

Parameters and Adam's moments are float32 on the host, wherever the model is: they are small, and a
model that is spread over several devices needs a copy at each of its sites anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.lessons import Lesson, Manner, Sums, loss
from steer.elicit.policy import frozen
from steer.elicit.state import Array, State
from steer.errors import FailedPrecondition
from steer.types import Site


class BadLoss(FailedPrecondition):
    """A loss, or its gradient, is not finite."""

    default_reason = "LOSS_NOT_FINITE"


class NoGradient(FailedPrecondition):
    """The loss does not depend on the vectors."""

    default_reason = "NO_GRADIENT"


class Learner:
    """Takes steps from a state. Between steps it is what ``state`` says, and nothing else."""

    def __init__(self, state: State) -> None:
        self._vectors = {
            at: torch.from_numpy(vector.copy()).requires_grad_()
            for at, vector in state.vectors.items()
        }
        self._optimiser = torch.optim.Adam(list(self._vectors.values()))
        self._step = state.step
        for at, vector in self._vectors.items() if state.step else ():
            self._optimiser.state[vector] = {
                "step": torch.tensor(float(state.step)),
                "exp_avg": torch.from_numpy(state.first[at].copy()),
                "exp_avg_sq": torch.from_numpy(state.second[at].copy()),
            }

    def state(self) -> State:
        """Copies of everything."""
        first, second = self._moments("exp_avg"), self._moments("exp_avg_sq")
        return State(_arrays(self._vectors), _arrays(first), _arrays(second), self._step)

    def _moments(self, name: str) -> dict[Site, Tensor]:
        kept = self._optimiser.state
        return {at: kept[v].get(name, torch.zeros_like(v)) for at, v in self._vectors.items()}

    def study(self, model: PreTrainedModel, lessons: Sequence[Lesson], manner: Manner) -> Sums:
        """Add the gradient of some lessons to those since the last ``update``."""
        with frozen(model):
            total, sums = loss(model, lessons, self._vectors, manner)
            if total.requires_grad:
                torch.autograd.backward(total)
        return sums

    def update(self, rate: float, norm: float = 0.0) -> None:
        """One step of Adam along the gradients gathered; ``norm``: weight of the sum of squared
        norms in the loss.

        Raises BadLoss when a gradient or what comes of it is not finite, and NoGradient before the
        first step; the learner is of no use then.
        """
        gradients = [vector.grad for vector in self._vectors.values() if vector.grad is not None]
        if not all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            raise BadLoss("a gradient is not finite: the rate may be too high")
        if not self._step and not any(bool(gradient.any()) for gradient in gradients):
            raise NoGradient("the loss does not depend on the vectors where they act")
        for vector in self._vectors.values() if norm else ():
            slope = 2 * norm * vector.detach()
            vector.grad = slope if vector.grad is None else vector.grad + slope
        self._optimiser.param_groups[0]["lr"] = rate
        self._optimiser.step()
        self._step += 1
        self._optimiser.zero_grad()
        if not all(bool(torch.isfinite(vector).all()) for vector in self._vectors.values()):
            raise BadLoss(f"the vectors are no longer finite: the rate {rate:g} is too high")


def _arrays(tensors: Mapping[Site, Tensor]) -> dict[Site, Array]:
    return {at: tensor.detach().numpy().copy() for at, tensor in tensors.items()}
