"""Train the model organism A1 from scratch: `python -m steer.models.organisms.train_a1 --out DIR`.

The result is an ordinary Hugging Face folder. `--check DIR` only prints the table of one that
is already there. Source: design A1; the corpus is `steer.tasks.a1.documents`.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from steer.tasks import a1

FOLDER = Path(__file__).parent / "a1"
IGNORED = -100
Item = a1.Problem | a1.Fact
_IDS = {word: i for i, word in enumerate(a1.tokens())}


@dataclass(frozen=True, slots=True)
class Settings:
    """steps: optimiser steps. batch: documents per step. rate: peak learning rate of AdamW,
    reached after `warmup` steps and brought to zero by a cosine. seed: weights and corpus."""

    steps: int = 2500
    batch: int = 160
    rate: float = 4e-3
    warmup: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the check table; the shares are in percent of `n` items."""

    name: str
    n: int
    correct: float
    thinks: float
    valid: float | None


def tokenizer() -> PreTrainedTokenizerFast:
    """The word-level tokenizer: one id per word of `a1.tokens()`, nothing added on encoding."""
    inner = Tokenizer(WordLevel(_IDS, unk_token=a1.UNK))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    # transformers ships its constructors and `generate` without types.
    build: Any = PreTrainedTokenizerFast
    built: PreTrainedTokenizerFast = build(
        tokenizer_object=inner,
        eos_token=a1.EOS,
        pad_token=a1.PAD,
        unk_token=a1.UNK,
        model_max_length=64,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )
    return built


def untrained(seed: int = 0) -> LlamaForCausalLM:
    """The organism before training: Llama, width 64, 3 blocks, 4 heads, embeddings not tied."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(_IDS),
        hidden_size=64,
        intermediate_size=176,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        initializer_range=0.05,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=_IDS[a1.EOS],
        pad_token_id=_IDS[a1.PAD],
    )
    return LlamaForCausalLM(config)


def train(settings: Settings, progress: Callable[[int, float], None]) -> LlamaForCausalLM:
    """Train on the corpus with the usual next-token loss, prompts included.

    progress: called after every step with the step (1 to `settings.steps`) and its loss in nats.
    """
    model = untrained(settings.seed)
    model.train(True)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.1
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, settings))
    rng = random.Random(settings.seed)
    for step in range(1, settings.steps + 1):
        ids = encode(a1.documents(rng, settings.batch))
        loss = model(input_ids=ids, labels=ids.masked_fill(ids == _IDS[a1.PAD], IGNORED)).loss
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress(step, loss.item())
    model.train(False)
    return model


def encode(texts: Iterable[str]) -> Tensor:
    """Token ids of the texts, padded on the right with `<pad>` (id 0): int64 (batch, tokens)."""
    rows = [torch.tensor([_IDS[word] for word in text.split()]) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=_IDS[a1.PAD])


@torch.no_grad()
def complete(model: PreTrainedModel, prompts: Iterable[str], max_tokens: int = 10) -> list[str]:
    """Greedy completions, without the prompt and without padding; `<eos>` is kept.

    The prompts must all have the same number of tokens (ValueError otherwise).
    """
    ids = encode(prompts)
    if (ids == _IDS[a1.PAD]).any():
        raise ValueError("the prompts differ in length")
    generate: Any = model.generate
    out: Tensor = generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_tokens,
        do_sample=False,
    )
    words = a1.tokens()
    rows = out[:, ids.shape[1] :].tolist()
    return [" ".join(words[i] for i in row if words[i] != a1.PAD) for row in rows]


def check(model: PreTrainedModel, n: int = 500) -> list[Row]:
    """The check table: `n` problems of the split `report` per arm, and all 32 facts."""
    asked, known = a1.problems("report", n), a1.facts()
    arms: dict[str, tuple[Sequence[Item], Sequence[str], str]] = {
        "quiz, greedy (default)": (asked, [p.prompt for p in asked], ""),
        "worksheet, greedy (ceiling)": (asked, [a1.worksheet(p) for p in asked], ""),
        "quiz, forced THINK": (asked, [p.prompt for p in asked], a1.THINK),
        "worksheet, forced ANSWER": (asked, [a1.worksheet(p) for p in asked], a1.ANSWER),
        "facts under quiz": (known, [f.prompt for f in known], ""),
        "facts under work": (known, [a1.worksheet(f) for f in known], ""),
    }
    return [_row(model, name, *arm) for name, arm in arms.items()]


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| arm | n | correct % | opens a trace % | valid trace % |", "|---|---|---|---|---|"]
    for row in rows:
        valid = "" if row.valid is None else f"{row.valid:.1f}"
        lines.append(f"| {row.name} | {row.n} | {row.correct:.1f} | {row.thinks:.1f} | {valid} |")
    return "\n".join(lines)


def save(model: PreTrainedModel, folder: Path) -> None:
    """Write weights (float32), configuration and tokenizer as a Hugging Face folder."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder to write the trained organism to")
    parser.add_argument("--check", type=Path, help="only print the table of this folder")
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--n", type=int, default=500, help="report problems per arm")
    chosen = parser.parse_args(arguments)
    if (chosen.out is None) == (chosen.check is None):
        parser.error("give one of --out and --check")
    if chosen.out is not None:
        settings = Settings(steps=chosen.steps, seed=chosen.seed)
        save(train(settings, _printer(settings.steps)), chosen.out)
    print(table(check(AutoModelForCausalLM.from_pretrained(chosen.out or chosen.check), chosen.n)))


def _row(
    model: PreTrainedModel, name: str, items: Sequence[Item], prompts: Sequence[str], forced: str
) -> Row:
    texts = complete(model, [f"{prompt} {forced}" for prompt in prompts])
    texts = [f"{forced} {text}" for text in texts]
    pairs = list(zip(items, texts, strict=True))
    valid = [a1.valid_trace(item, text) for item, text in pairs if isinstance(item, a1.Problem)]
    return Row(
        name,
        len(items),
        _percent([a1.correct(*pair) for pair in pairs]),
        _percent([a1.thinks(text) for text in texts]),
        _percent(valid) if valid else None,
    )


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)


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
