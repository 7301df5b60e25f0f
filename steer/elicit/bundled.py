"""Make and store the bundled vectors of organism A1: `python -m steer.elicit.bundled`.

`a1-dom` is the difference of means of worksheet minus quiz prompts, `a1-rloo` is trained on
whether the answer is right. Both act after the last block, at every position that predicts a
generated token. Training uses the split `train`, every choice the split `select`, and the table
that is printed the split `report`. `--check` prints the table of vectors already stored.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from steer.elicit import rloo
from steer.elicit.difference import Array, difference_of_means, mean_norm, residuals
from steer.elicit.fitting import Progress
from steer.elicit.padding import Tokens
from steer.elicit.sampling import complete
from steer.elicit.settings import Settings
from steer.models.load import LoadedModel, load
from steer.store import Card, Store, Vector
from steer.tasks import a1
from steer.types import Phase, Site, Where

MODEL, LAYER = "organism/a1", 2
PAIRS, TRAINED_ON, SELECTED_ON, REPORTED_ON = 1000, 4000, 500, 500
MAX_TOKENS = 16
SCALES = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
RANDOM = 5
_IDS = {word: i for i, word in enumerate(a1.tokens())}

Vectors = Mapping[int, Array]


@dataclass(frozen=True, slots=True)
class Score:
    """Shares in percent. correct and valid: of `n` problems; facts: of all 32."""

    n: int
    correct: float
    valid: float
    facts: float


def score(model: PreTrainedModel, vectors: Vectors, split: str, n: int, forced: str = "") -> Score:
    """Greedy quiz answers under the vectors, (d_model,) by layer; empty means unsteered.

    forced: a word put after every prompt, facts too, as the first word of the answer.
    """
    asked = a1.problems(split, n)
    texts = _answers(model, [problem.prompt for problem in asked], vectors, forced)
    recalled = _answers(model, [fact.prompt for fact in a1.facts()], vectors, forced)
    solved = list(zip(asked, texts, strict=True))
    return Score(
        n,
        _percent([a1.correct(*pair) for pair in solved]),
        _percent([a1.valid_trace(*pair) for pair in solved]),
        _percent([a1.correct(*pair) for pair in zip(a1.facts(), recalled, strict=True)]),
    )


def make_dom(model: PreTrainedModel) -> tuple[Array, dict[str, Any]]:
    """The vector (d_model,), already scaled by the best of SCALES, and the card's parameters."""
    pairs = a1.problems("train", PAIRS)
    positive, negative = ([a1.worksheet(p) for p in pairs], [p.prompt for p in pairs])
    raw = difference_of_means(model, _encode(positive), _encode(negative), [LAYER]).vectors[LAYER]
    found = {c: score(model, {LAYER: raw * np.float32(c)}, "select", SELECTED_ON) for c in SCALES}
    best = max(SCALES, key=lambda c: found[c].correct)
    parameters = {
        "positive": "the prompt under `work`",
        "negative": "the same prompt under `quiz`",
        "position": "last prompt token",
        "pairs": PAIRS,
        "c": best,
        "select_n": SELECTED_ON,
        "select_correct_by_c": {str(c): found[c].correct for c in SCALES},
    }
    return raw * np.float32(best), parameters


def make_rloo(model: PreTrainedModel) -> tuple[Array, dict[str, Any]]:
    """The trained vector (d_model,) and the card's parameters."""
    settings = Settings(layers=(LAYER,), max_tokens=MAX_TOKENS)
    asked = a1.problems("train", TRAINED_ON)
    trained = rloo.train(
        model,
        _encode([problem.prompt for problem in asked]),
        lambda i, tokens: float(a1.correct(asked[i], _decode(tokens))),
        settings,
        select=lambda vectors: score(model, vectors, "select", SELECTED_ON).correct,
        progress=_show,
    )
    drop = ("enough", "patience")
    kept = {key: value for key, value in asdict(settings).items() if key not in drop}
    parameters = {**kept, "train_prompts": TRAINED_ON, "select_n": SELECTED_ON}
    return trained.vectors[LAYER], {**parameters, "kept_step": trained.step}


def random_like(vector: Array, seed: int) -> Array:
    """An isotropic random direction with the norm of `vector`, (d_model,)."""
    drawn = np.random.default_rng(seed).standard_normal(vector.shape)
    scaled: Array = (drawn * np.linalg.norm(vector) / np.linalg.norm(drawn)).astype(np.float32)
    return scaled


def store(root: Path) -> None:
    """Make both vectors and put them into the store at `root`, replacing older ones."""
    loaded = load(MODEL, dtype="float32", device="cpu")
    blank = _card(loaded)
    for name, method, make in (
        ("a1-dom", "difference_of_means", make_dom),
        ("a1-rloo", "rloo", make_rloo),
    ):
        vector, parameters = make(loaded.network)
        measured = asdict(score(loaded.network, {LAYER: vector}, "report", REPORTED_ON))
        card = replace(
            blank,
            method=method,
            description=_DESCRIPTIONS[name],
            parameters=parameters,
            data_hash=_hash(PAIRS if name == "a1-dom" else TRAINED_ON),
            measured={"split": "report", "unit": "percent", **measured},
        )
        Store(root).put(Vector(name, {Site(LAYER): vector}, card))


def table(root: Path) -> str:
    """The report table of the stored vectors and their controls, in Markdown."""
    model = load(MODEL, dtype="float32", device="cpu").network
    rows = {
        "default": score(model, {}, "report", REPORTED_ON),
        "forced THINK": score(model, {}, "report", REPORTED_ON, a1.THINK),
    }
    for name in _DESCRIPTIONS:
        stored = Store(root).get(name)
        assert isinstance(stored, Vector), f"{name} is a {stored.kind}"
        vector = stored.tensors[Site(LAYER)]
        rows[name] = score(model, {LAYER: vector}, "report", REPORTED_ON)
        rows[f"{name}, negated"] = score(model, {LAYER: -vector}, "report", REPORTED_ON)
        for seed in range(RANDOM):
            drawn = {LAYER: random_like(vector, seed)}
            rows[f"random {seed}, norm of {name}"] = score(model, drawn, "report", REPORTED_ON)
    lines = ["| arm | n | correct % | valid trace % | facts % (of 32) |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row.n} | {row.correct:.1f} | {row.valid:.1f} | {row.facts:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("vectors"), help="folder of the store")
    parser.add_argument("--check", action="store_true", help="only print the table")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        store(chosen.store)
    print(table(chosen.store))


_DESCRIPTIONS = {
    "a1-dom": "Organism A1: worksheet minus quiz at the last prompt token, scaled.",
    "a1-rloo": "Organism A1: trained by reinforcement on right answers under quiz.",
}


def _card(loaded: LoadedModel) -> Card:
    return Card(
        model=loaded.id,
        revision=loaded.revision,
        fingerprint=loaded.fingerprint,
        d_model=loaded.network.config.hidden_size,
        sites=(Site(LAYER),),
        method="",
        residual_norms=_residual_norms(loaded.network),
        where=Where(phase=Phase.DECODE),
        licence="Apache-2.0",
    )


def _residual_norms(model: PreTrainedModel) -> dict[Site, float]:
    """Mean ‖h‖ of the unsteered model where phase `decode` acts, on its own greedy answers."""
    prompts = _encode([problem.prompt for problem in a1.problems("train", PAIRS)])
    answers = complete(model, prompts, {}, max_tokens=MAX_TOKENS)
    # The last generated token predicts nothing, so it is never fed.
    rows = [[*p, *answer[:-1]] for p, answer in zip(prompts, answers, strict=True)]
    layers = range(model.config.num_hidden_layers)
    hidden = residuals(model, rows, layers, starts=[len(p) - 1 for p in prompts])
    return {Site(layer): round(mean_norm(hidden[layer]), 4) for layer in layers}


def _answers(
    model: PreTrainedModel, prompts: Sequence[str], vectors: Vectors, forced: str
) -> list[str]:
    moved = {layer: torch.as_tensor(vector) for layer, vector in vectors.items()}
    asked = _encode([f"{prompt} {forced}" for prompt in prompts])
    rows = complete(model, asked, moved, max_tokens=MAX_TOKENS)
    return [f"{forced} {_decode(row)}" for row in rows]


def _encode(texts: Sequence[str]) -> list[list[int]]:
    return [[_IDS[word] for word in text.split()] for text in texts]


def _decode(tokens: Tokens) -> str:
    return " ".join(a1.tokens()[token] for token in tokens)


def _hash(n: int) -> str:
    text = "\n".join(problem.prompt for problem in a1.problems("train", n))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _percent(hits: Sequence[bool]) -> float:
    return round(100 * sum(hits) / len(hits), 1)


def _show(progress: Progress) -> None:
    if progress.selected is not None:
        norm = progress.norm[LAYER]
        print(
            f"step {progress.step}  reward {progress.value:.2f}  norm {norm:.1f}  "
            f"select {progress.selected:.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
