"""One trained vector per layer, by REINFORCE with a leave-one-out baseline; the model is frozen.

The policy is the model with h + s_l added after block l at every position that predicts a
generated token (phase `decode`); the only parameters are the s_l. With G sampled completions of
a prompt and rewards r_i, the advantage is A_i = r_i - mean of the other rewards, and the step
follows the gradient of mean_i A_i log p(completion_i). Sources: RLOO (Ahmadian et al., arXiv
2402.14740); steering vectors as the trained parameters (Sinii et al., arXiv 2505.18706).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.elicit.difference import Array, Tokens, evaluating, pad_right, positions, site
from steer.errors import FailedPrecondition, InvalidRequest
from steer.intervene.sites import Visit, visiting
from steer.types import Site

Reward = Callable[[int, Tokens], float]
"""`reward(i, completion)`: the reward of a completion of prompt i. The completion is token ids
without the prompt; it ends with the end-of-sequence token if the model got that far."""

Selection = Callable[[Mapping[int, Array]], float]
"""`select(vectors)`: how good the vectors are on data kept apart; higher is better."""


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


class NoRewardVariance(FailedPrecondition):
    """Every completion of a prompt got the same reward, step after step: nothing to learn from."""

    default_reason = "NO_REWARD_VARIANCE"


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
    _validate(prompts, settings)
    history: list[Progress] = []
    best, best_score = Trained({}, 0, ()), -math.inf
    with frozen(model):
        trainer = _Trainer(model, prompts, reward, settings)
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


def advantages(rewards: Tensor) -> Tensor:
    """A_i = r_i - mean of the others in its group. Shape (prompts, group), group at least 2."""
    group = rewards.shape[1]
    return (rewards - rewards.mean(1, keepdim=True)) * group / (group - 1)


def complete(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    vectors: Mapping[int, Tensor],
    *,
    max_tokens: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Completions with h + v_l at every position that predicts a generated token.

    prompts: token ids of any lengths of at least one. vectors: (d_model,) by layer; empty means
    unsteered. temperature: 0 is greedy. Each completion ends with its end-of-sequence token, or
    after `max_tokens`.
    """
    ids, mask = pad_left(prompts)
    with torch.no_grad(), evaluating(model), steered(model, vectors) as steering:
        columns = _sample(model, ids, mask, steering, max_tokens, temperature, generator)
    ends = end_tokens(model)
    return [_until(row, ends) for row in torch.stack(columns, 1).tolist()]


def log_likelihood(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    completions: Sequence[Tokens],
    vectors: Mapping[int, Tensor],
    temperature: float = 1.0,
) -> Tensor:
    """log p(completion | prompt) in nats under the steered policy: float32 (prompts,).

    Differentiable in the vectors. temperature: above 0, that of the sampling.
    """
    ids, mask = pad_left(prompts)
    answers, attended = pad_right(completions)
    width, device = ids.shape[1], model.device
    mask = torch.cat((mask, attended), 1)
    with evaluating(model), steered(model, vectors) as steering:
        steering.skip = width - 1
        logits = model(
            input_ids=torch.cat((ids, answers), 1).to(device),
            attention_mask=mask.to(device),
            position_ids=positions(mask).to(device),
            use_cache=False,
        ).logits
    scores = (logits[:, width - 1 : -1].float() / temperature).log_softmax(-1)
    chosen = scores.gather(-1, answers.to(device)[..., None])[..., 0]
    total: Tensor = (chosen * attended.to(device)).sum(1)
    return total


@dataclass
class Steering:
    """State of the hooks. skip: columns at the start of the next forward pass left untouched."""

    skip: int = 0


@contextmanager
def steered(model: PreTrainedModel, vectors: Mapping[int, Tensor]) -> Iterator[Steering]:
    """Add `vectors[l]`, (d_model,), to the output of block l inside the `with` block.

    The sum is taken in float32. Columns before `Steering.skip` stay bit-identical.
    """
    steering = Steering()
    visits: dict[Site, Visit] = {
        site(model, layer): partial(_add, vector.to(model.device, torch.float32), steering)
        for layer, vector in vectors.items()
    }
    with visiting(model, visits):
        yield steering


@contextmanager
def frozen(model: PreTrainedModel) -> Iterator[None]:
    """No parameter of the model takes a gradient inside the block; put back afterwards."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def pad_left(sequences: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """Like `pad_right`, with the padding in front: every sequence ends in the last column."""
    ids, mask = pad_right([list(reversed(sequence)) for sequence in sequences])
    return ids.flip(1), mask.flip(1)


def end_tokens(model: PreTrainedModel) -> frozenset[int]:
    """The model's end-of-sequence tokens; empty when it declares none."""
    config = model.generation_config or model.config
    ends = config.eos_token_id
    return frozenset(() if ends is None else [ends] if isinstance(ends, int) else ends)


class _Trainer:
    def __init__(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Tokens],
        reward: Reward,
        settings: Settings,
    ) -> None:
        self.model, self.prompts, self.reward, self.settings = model, prompts, reward, settings
        self.vectors = {layer: _zero(model, layer) for layer in settings.layers}
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

    def arrays(self) -> dict[int, Array]:
        return {layer: v.detach().cpu().numpy().copy() for layer, v in self.vectors.items()}

    def _complete(self, rows: Sequence[int]) -> list[list[int]]:
        return complete(
            self.model,
            [self.prompts[i] for i in rows],
            {layer: vector.detach() for layer, vector in self.vectors.items()},
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


def _sample(
    model: PreTrainedModel,
    ids: Tensor,
    mask: Tensor,
    steering: Steering,
    max_tokens: int,
    temperature: float,
    generator: torch.Generator | None,
) -> list[Tensor]:
    device, cache, columns = model.device, None, list[Tensor]()
    ids, mask, place = ids.to(device), mask.to(device), positions(mask).to(device)
    ends = torch.tensor(sorted(end_tokens(model)), device=device)
    done = torch.zeros(len(ids), dtype=torch.bool, device=device)
    steering.skip = ids.shape[1] - 1
    while len(columns) < max_tokens and not done.all():
        out = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=place,
            past_key_values=cache,
            use_cache=True,
        )
        token = _pick(out.logits[:, -1].float(), temperature, generator)
        columns.append(token.cpu())
        done |= torch.isin(token, ends)
        cache, ids, place, steering.skip = out.past_key_values, token[:, None], place[:, -1:] + 1, 0
        mask = torch.cat((mask, torch.ones_like(ids)), 1)
    return columns


def _pick(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]


def _until(row: list[int], ends: frozenset[int]) -> list[int]:
    stop = next((i for i, token in enumerate(row) if token in ends), len(row))
    return row[: stop + 1]


def _add(vector: Tensor, steering: Steering, hidden: Tensor) -> None:
    touched = hidden[:, steering.skip :]
    touched.copy_((touched.float() + vector).to(hidden.dtype))


def _zero(model: PreTrainedModel, layer: int) -> Tensor:
    site(model, layer)
    width = model.config.get_text_config(decoder=True).hidden_size
    return torch.zeros(width, device=model.device, requires_grad=True)


def _norms(vectors: Mapping[int, Array]) -> dict[int, float]:
    return {layer: float(np.linalg.norm(vector)) for layer, vector in vectors.items()}


def _validate(prompts: Sequence[Tokens], settings: Settings) -> None:
    if not prompts or not all(prompts):
        raise InvalidRequest("training needs prompts, none of them empty")
    low = {"layers": len(settings.layers), "prompts": settings.prompts, "steps": settings.steps}
    low |= {"max_tokens": settings.max_tokens, "group": settings.group - 1}
    wrong = [name for name, value in low.items() if value < 1]
    wrong += [name for name in ("rate", "temperature") if not getattr(settings, name) > 0]
    if wrong:
        raise InvalidRequest(f"settings out of range: {', '.join(wrong)}")
