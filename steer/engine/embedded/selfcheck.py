"""Whether a model still says the same through our attention and our cache.

Attention may do more with keys and values than attend to them (differential attention splits the
values after they are cached), and that shows in nothing but the numbers. So a model nobody has
tested is asked for its logits before and after, over a prompt, a decoded token and a later chunk.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.embedded import step
from steer.engine.embedded.forward import forward
from steer.engine.embedded.kv import KV
from steer.engine.rows import round_up
from steer.errors import FailedPrecondition
from steer.intervene.layouts import LAYOUTS

PARTS = (8, 1, 3)
"""Tokens of each of our passes; the later ones read what the earlier ones have stored."""


@contextmanager
def unchanged(network: PreTrainedModel) -> Iterator[None]:
    """Inside, a model is made to use our attention; its logits must not change by that.

    Does nothing for the architectures of the table, which tests hold to this.
    Raises FailedPrecondition when logits change, or when a pass of ours fails.
    """
    if network.config.model_type in LAYOUTS:
        yield
        return
    generator = torch.Generator().manual_seed(0)
    count = network.config.get_text_config().vocab_size
    ids = torch.randint(count, (sum(PARTS),), generator=generator).tolist()
    with torch.no_grad():
        own = network(input_ids=_on_device(network, [ids]), use_cache=False).logits[0]
    yield
    try:
        with torch.no_grad():
            ours = _ours(network, ids)
    except Exception as error:  # whatever a model nobody has tested does
        raise _refusal(network, f"a pass fails: {type(error).__name__}: {error}") from error
    for part, (a, b) in enumerate(zip(own.split(PARTS), ours, strict=True)):
        off = _error(a, b)
        if not off <= torch.finfo(own.dtype).eps ** 0.5:
            raise _refusal(network, f"in pass {part + 1} logits are off by {off:.2g} of their size")


def _ours(network: PreTrainedModel, ids: list[int]) -> list[Tensor]:
    positions, start, logits = round_up(len(ids)), 0, []
    kv = KV(1, positions)
    for length in PARTS:
        segment = step.Segment(0, start, ids[start : start + length])
        inputs = step.build([segment], 1, positions, _on_device(network, []).device)
        keep = _on_device(network, list(range(length)))
        logits.append(forward(network, kv, inputs, keep))
        start += length
    return logits


def _error(own: Tensor, ours: Tensor) -> float:
    # The median token's: a mixture of experts may send one elsewhere by a rounding.
    norm = torch.linalg.vector_norm
    own, ours = own.float(), ours.float().to(own.device)
    spread = norm(own - own.mean(-1, keepdim=True), dim=-1)
    return float((norm(ours - own, dim=-1) / spread).median())


def _on_device(network: PreTrainedModel, values: list[int] | list[list[int]]) -> Tensor:
    weight = next(network.get_input_embeddings().parameters())
    return torch.tensor(values, device=weight.device, dtype=torch.long)


def _refusal(network: PreTrainedModel, why: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"{type(network).__name__} does not say the same through this engine's attention: {why}",
        reason="UNSUPPORTED_ARCHITECTURE",
    )
