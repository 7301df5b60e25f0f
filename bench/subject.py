"""What is measured: SmolLM2-135M-Instruct in bfloat16, as the server would run it."""

import queue
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench import specs
from bench.served import serving
from steer.engine.base import Done, Failed
from steer.engine.embedded.cursors import Cursors
from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.models.load import load
from steer.server.recipe_book import RecipeBook
from steer.store import Store
from steer.store.recipes import RecipeFiles
from steer.types import (
    Add,
    Arm,
    Direction,
    Inline,
    Intervention,
    Phase,
    Prompt,
    Sampling,
    Site,
    Trial,
    Where,
)

THREADS = 2
HOST_STEPS = 50
LAYER = 15
CACHE = Path(".cache/smollm2")
LIMITS = Limits(max_rows=64, kv_tokens=64 * 1024, step_tokens=512, max_queue=4096)


def checkpoint() -> Path:
    """The model as an ordinary folder; fetched and dequantised once."""
    folder = CACHE / "bfloat16"
    if not (folder / "config.json").is_file():
        fetched = subprocess.check_output(["scripts/fetch_smollm2.sh", str(CACHE)], text=True)
        gguf = Path(fetched.splitlines()[-1])
        source: dict[str, Any] = {"gguf_file": gguf.name}
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **source)
        # The weights are dense by now; the note that they were quantised would stop saving.
        model.hf_quantizer, model.is_quantized = None, False
        model.config.__dict__.pop("quantization_config", None)
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(gguf.parent, **source).save_pretrained(folder)
    return folder


@dataclass
class Subject:
    """An engine and the plain model beside it."""

    engine: EmbeddedEngine
    planner: Planner
    plain: Any
    _random: np.random.Generator

    @classmethod
    def open(cls) -> "Subject":
        """Load both."""
        torch.set_num_threads(THREADS)
        folder = checkpoint()
        model = load(str(folder))
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).train(False)
        engine = EmbeddedEngine(model, LIMITS)
        info = engine.info()
        store = Store("memory://bench")
        for item in specs.items(info.fingerprint):
            store.put(item)
        recipes = RecipeBook(RecipeFiles(store.root))
        planner = Planner(info, store, model.text, engine, recipes, Captures())
        return cls(engine, planner, plain, np.random.default_rng(0))

    def prompts(self, rows: int, length: int) -> list[tuple[int, ...]]:
        """Random prompts; new ones at each call, so that nothing is found in a cache."""
        return [tuple(ids) for ids in self._random.integers(100, 40000, (rows, length)).tolist()]

    def run(self, trials: Sequence[Trial]) -> float:
        """Seconds from the first trial's hand-over to the last's end."""
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        plans = [self.planner.trial(trial, f"{id(trial)}-{i}") for i, trial in enumerate(trials)]
        begin, left = time.perf_counter(), len(plans)
        for plan in plans:
            self.engine.submit(plan, inbox.put)
        while left:
            for _, events in inbox.get():
                if isinstance(events[-1], Failed):
                    raise events[-1].error
                left -= isinstance(events[-1], Done)
        return time.perf_counter() - begin

    def host_cost(self, trials: Sequence[Trial]) -> dict[str, float]:
        """Milliseconds of planning one of the trials, and of choosing what acts where in a decode
        step of all of them, on the host."""
        begin = time.perf_counter()
        plans = [self.planner.trial(trial, f"{id(trial)}-{i}") for i, trial in enumerate(trials)]
        planning = (time.perf_counter() - begin) / len(trials)
        cursors = [
            (Cursors(self.planner.text, len(arm.prompt), arm.prompt).make(item.where))
            for plan in plans
            for arm in plan.arms
            for item in arm.interventions
        ]
        length = len(plans[0].prompt)
        begin = time.perf_counter()
        for place in range(length, length + HOST_STEPS):
            for cursor in cursors:
                cursor.take(place, (place,))
        step = (time.perf_counter() - begin) / HOST_STEPS
        return {"plan_ms": 1e3 * planning, "where_ms": 1e3 * step}

    def generate(self, rows: int, length: int, tokens: int) -> float:
        """Seconds `model.generate` takes for a batch."""
        ids = torch.tensor(self.prompts(rows, length))
        begin = time.perf_counter()
        with torch.inference_mode():
            self.plain.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                do_sample=False,
            )
        return time.perf_counter() - begin


def vector(seed: int, layers: Sequence[int] = (LAYER,), phase: Phase = Phase.DECODE) -> Arm:
    """An arm that adds a random direction of norm 8 at some layers."""
    draw = np.random.default_rng(seed).standard_normal(576)
    data = (draw * 8 / np.linalg.norm(draw)).astype("<f4").tobytes()
    directions = tuple(Direction(data, Site(layer)) for layer in layers)
    item = Intervention(Add(Inline(directions)), where=Where(phase))
    return Arm(f"vector {seed}", (item,))


def trial(
    ids: tuple[int, ...], tokens: int, *arms: Arm, baseline: bool = True, measure: bool = False
) -> Trial:
    """A greedy trial of a fixed length."""
    sampling = Sampling(max_tokens=tokens, ignore_eos=True)
    prompt = Prompt(token_ids=ids)
    return Trial(prompt, arms, baseline=baseline, sampling=sampling, measure=measure)


@contextmanager
def served() -> Iterator[str]:
    """A server of its own process with the same model and threads; gives its address."""
    limits = {"max_rows": LIMITS.max_rows, "kv_tokens": LIMITS.kv_tokens}
    with serving(model=checkpoint(), threads=THREADS, **limits) as server:
        yield server.address
