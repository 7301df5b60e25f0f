"""The sites of a model, and hooks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from steer.errors import FailedPrecondition
from steer.intervene import residuals
from steer.intervene.hooks import Handle, attach
from steer.intervene.hooks import Visit as Visit
from steer.intervene.layouts import LAYOUTS, Layout, known
from steer.types import Point, Site

_FOUND: WeakKeyDictionary[nn.Module, Layout] = WeakKeyDictionary()


def layout(model: nn.Module) -> Layout:
    """The layout of a model of transformers in evaluation mode.

    A model type the table does not know gets the first layout of the table that ``residuals``
    finds no flaw in; that takes a few short forward passes, once for each model.

    Raises FailedPrecondition for any other, with the list of known architectures and with what
    was tried.
    """
    if model not in _FOUND:
        config: Any = model.config
        row = LAYOUTS.get(config.model_type)
        _FOUND[model] = row.of(config) if row else _found_by_trial(model, config)
    return _FOUND[model]


def blocks(model: nn.Module) -> nn.ModuleList:
    """The decoder blocks, in order."""
    return _blocks_at(model, layout(model).blocks)


def points(model: nn.Module) -> tuple[Point, ...]:
    """The points this model has."""
    there = residuals.points(layout(model))
    return tuple(point for point in Point if point in there)


def on_visit(model: nn.Module, site: Site, visit: Visit) -> Handle:
    """Call ``visit`` with the activation at ``site`` in every pass; see ``hooks.attach``."""
    return attach(blocks(model)[site.layer], layout(model), site.point, visit)


@contextmanager
def visiting(model: nn.Module, visits: dict[Site, Visit]) -> Iterator[None]:
    """Hooks for the duration of a ``with`` block."""
    handles = [on_visit(model, site, visit) for site, visit in visits.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _found_by_trial(model: nn.Module, config: Any) -> Layout:
    flaws = []
    for candidate in _candidates(model, config):
        flaw = residuals.flaw(model, _blocks_at(model, candidate.blocks), candidate)
        if flaw is None:
            return candidate
        flaws.append(f"{candidate.blocks}: {candidate}: {flaw}")
    tried = "; ".join(flaws) or "no list of blocks with submodules that any of these has"
    raise FailedPrecondition(
        f"architecture {config.model_type!r} is not supported; supported: "
        f"{', '.join(sorted(LAYOUTS))}; or any whose blocks can be verified to be built like one "
        f"of these, tried: {tried}",
        reason="UNSUPPORTED_ARCHITECTURE",
    )


def _candidates(model: nn.Module, config: Any) -> Iterator[Layout]:
    count = config.get_text_config().num_hidden_layers
    for path, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            for one in known():
                if all(_has(block, one) for block in module):
                    yield replace(one, blocks=path)


def _has(block: nn.Module, one: Layout) -> bool:
    try:
        for path in (one.attn_out, one.mlp_out, one.mid or one.mlp_out):
            block.get_submodule(path)
    except AttributeError:
        return False
    return one.multiplier is None or hasattr(block, one.multiplier)


def _blocks_at(model: nn.Module, path: str) -> nn.ModuleList:
    found = model.get_submodule(path)
    assert isinstance(found, nn.ModuleList)
    return found
