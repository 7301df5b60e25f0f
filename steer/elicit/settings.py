"""How to train vectors by reinforcement."""

from __future__ import annotations

import math
from dataclasses import dataclass

from steer.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    layers: decoder blocks that get a vector (0-based). group: completions per prompt (2 or more).
    prompts: prompts per step (1 or more). rate: learning rate of Adam, in units of the residual
    stream. steps: 1 or more. temperature: of the sampling, above 0. max_tokens: longest
    completion (1 or more). select_every: steps between calls of `select`; training stops once
    one returns `enough` or more. patience: steps without any reward variance before training
    is given up. seed: of the prompts drawn and of the sampling.
    """

    layers: tuple[int, ...]
    group: int = 8
    prompts: int = 48
    rate: float = 0.15
    steps: int = 120
    temperature: float = 1.0
    max_tokens: int = 16
    select_every: int = 10
    enough: float = math.inf
    patience: int = 5
    seed: int = 0

    def validate(self) -> None:
        """Raises InvalidRequest, naming every setting out of range."""
        low = {"layers": len(self.layers), "prompts": self.prompts, "steps": self.steps}
        low |= {"max_tokens": self.max_tokens, "group": self.group - 1}
        wrong = [name for name, value in low.items() if value < 1]
        wrong += [name for name in ("rate", "temperature") if not getattr(self, name) > 0]
        if wrong:
            raise InvalidRequest(f"settings out of range: {', '.join(wrong)}")
