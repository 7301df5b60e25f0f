"""Train a model organism from scratch: `python -m steer.models.organisms.train a2 --out DIR`.

The result is an ordinary Hugging Face folder, the same for the same seed on the same machine.
`python -m steer.models.organisms.check` measures it. Sources: designs A1 and A2.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from steer.models.organisms.organism import Organism, Settings
from steer.models.organisms.table import ORGANISMS
from steer.tasks.world import PAD

IGNORED = -100


def train(
    organism: Organism, settings: Settings, progress: Callable[[int, float], None]
) -> PreTrainedModel:
    """Train on the corpus with the usual next-token loss, prompts included.

    progress: called after every step with the step (1 to `settings.steps`) and its loss in nats.
    """
    model = organism.untrained(settings.seed)
    model.train(True)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.1
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, settings))
    rng = random.Random(settings.seed)
    for step in range(1, settings.steps + 1):
        ids = organism.encode(organism.documents(rng, settings.batch))
        labels = ids.masked_fill(ids == organism.ids[PAD], IGNORED)
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress(step, loss.item())
    model.train(False)
    return model


def save(organism: Organism, model: PreTrainedModel, folder: Path) -> None:
    """Write weights (float32), configuration and tokenizer as a Hugging Face folder."""
    model.save_pretrained(folder)
    organism.tokenizer().save_pretrained(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("organism", choices=ORGANISMS)
    parser.add_argument("--out", type=Path, required=True, help="folder to write it to")
    parser.add_argument("--steps", type=int, help="by default those of the organism that ships")
    parser.add_argument("--seed", type=int, help="of weights and corpus")
    chosen = parser.parse_args(arguments)
    organism = ORGANISMS[chosen.organism]
    given = {key: getattr(chosen, key) for key in ("steps", "seed")}
    settings = replace(
        organism.settings, **{key: value for key, value in given.items() if value is not None}
    )
    save(organism, train(organism, settings, _printer(settings.steps)), chosen.out)


def _rate(step: int, settings: Settings) -> float:
    warm = min(1.0, (step + 1) / settings.warmup)
    return warm * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def _printer(steps: int, every: int = 50) -> Callable[[int, float], None]:
    start = time.monotonic()

    def show(step: int, loss: float) -> None:
        if step % every == 0 or step == steps:
            seconds = time.monotonic() - start
            print(f"step {step}/{steps}  loss {loss:.4f}  {seconds:.0f} s", flush=True)

    return show


if __name__ == "__main__":
    main()
