"""What the services share: model, store, engine, planner."""

import asyncio
import os
import time
from dataclasses import dataclass

import torch

from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.scheduler import Limits
from steer.intervene.captures import Captures
from steer.intervene.planner import Planner
from steer.models.load import LoadedModel, load
from steer.models.text import Text
from steer.server.hub import Hub
from steer.server.interceptor import Context
from steer.server.recipe_book import RecipeBook
from steer.server.settings import Settings
from steer.store import Store
from steer.types import ModelInfo

KV_SHARE = 0.25
"""Share of free memory that keys and values may take when ``kv_tokens`` is not set."""


@dataclass(frozen=True)
class Core:
    """A loaded model, ready to run plans."""

    engine: EmbeddedEngine
    planner: Planner
    store: Store
    text: Text
    model: ModelInfo
    hub: Hub

    @classmethod
    async def start(cls, settings: Settings, store: Store, recipes: RecipeBook) -> "Core":
        """Load the model, off the event loop, and start its engine."""
        engine, text = await asyncio.to_thread(_start_engine, settings)
        try:
            await asyncio.to_thread(engine.warm_up)
            model = engine.info()
            captures = Captures(settings.capture_bytes)
            planner = Planner(model, store, text, engine, recipes, captures)
            return cls(engine, planner, store, text, model, Hub(engine))
        except BaseException:
            engine.close()
            raise


def deadline(context: Context) -> float | None:
    """The call's deadline on the monotonic clock."""
    remaining = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining


def _start_engine(settings: Settings) -> tuple[EmbeddedEngine, Text]:
    if settings.threads:
        torch.set_num_threads(settings.threads)
    model = load(settings.model, settings.revision, settings.dtype, settings.device)
    limits = Limits(
        max_rows=settings.max_rows,
        kv_tokens=settings.kv_tokens or _kv_tokens(model, settings.max_rows),
        step_tokens=settings.step_tokens,
        max_queue=settings.max_queue,
    )
    return EmbeddedEngine(model, limits), model.text


def _kv_tokens(model: LoadedModel, max_rows: int) -> int:
    most = max_rows * model.context_length
    return max(min(most, int(KV_SHARE * _free_bytes(model.device) / _bytes_per_token(model))), 1)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _bytes_per_token(model: LoadedModel) -> int:
    config = model.network.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    weight = next(model.network.parameters())
    return int(2 * config.num_hidden_layers * heads * width * weight.element_size())
