"""Whether a layout is right for a model: found out by writing at every point.

A block is a sum: what stands at one residual point is what stood at the one before it, plus what
attention or MLP adds. So noise is written at every point in one forward pass, over whatever was
there, and at every residual point must then be found the sum of what was written before it. That
shows at once that the points are the right ones, that what is written there is used, and that
nothing else is added or multiplied. Noise is never small, so no output near zero hides an error.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from steer.intervene.hooks import Visit, attach
from steer.intervene.layouts import Layout
from steer.intervene.order import PASSED
from steer.types import Point, Site

TOKENS = 8
"""Length of the sequence."""
ROUNDINGS = 4
"""A sum may be off by this many units in the last place of its terms."""

Sums = dict[Point, tuple[Point, ...]]
_SEQUENTIAL: Sums = {
    Point.RESID_MID: (Point.RESID_PRE, Point.ATTN_OUT),
    Point.RESID_POST: (Point.RESID_MID, Point.MLP_OUT),
}
_WITHOUT_MID: Sums = {Point.RESID_POST: (Point.RESID_PRE, Point.ATTN_OUT, Point.MLP_OUT)}


def points(layout: Layout) -> tuple[Point, ...]:
    """The points of a layout, as a forward pass comes by them."""
    return tuple(p for p in PASSED if _has_mid(layout) or p is not Point.RESID_MID)


def _has_mid(layout: Layout) -> bool:
    return layout.mid is not None or bool(layout.parallel)


def flaw(model: nn.Module, blocks: nn.ModuleList, layout: Layout) -> str | None:
    """What is wrong with a layout of a model in evaluation mode; None when nothing is.

    Runs one forward pass over ``TOKENS`` random tokens.
    """
    config: Any = model.config
    noise = _Noise(config.get_text_config().hidden_size)
    try:
        with ExitStack() as hooks, torch.no_grad(), _plain_attention(model):
            for layer, block in enumerate(blocks):
                for point in points(layout):
                    visit = noise.at(Site(layer, point))
                    hooks.callback(attach(block, layout, point, visit).remove)
            model(input_ids=_tokens(model), use_cache=False)
    except Exception as error:  # whatever an unknown model does with noise, it is no match
        return f"a pass with it fails: {type(error).__name__}: {error}"
    return _first_flaw(noise.visits, len(blocks), layout)


@dataclass(frozen=True, slots=True)
class _Visited:
    """What was found and what was written at a site: float64 (tokens, d_model) on the host."""

    site: Site
    found: Tensor
    written: Tensor
    eps: float


@dataclass
class _Noise:
    d_model: int
    visits: list[_Visited] = field(default_factory=list)
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))

    def at(self, site: Site) -> Visit:
        def visit(hidden: Tensor) -> None:
            flat = hidden.view(TOKENS, self.d_model)
            found = _kept(flat)
            flat.copy_(torch.randn(flat.shape, generator=self.generator))
            self.visits.append(_Visited(site, found, _kept(flat), torch.finfo(flat.dtype).eps))

        return visit


def _kept(tensor: Tensor) -> Tensor:
    return tensor.cpu().to(torch.float64, copy=True)


def _first_flaw(visits: Sequence[_Visited], layers: int, layout: Layout) -> str | None:
    wanted = [Site(layer, point) for layer in range(layers) for point in points(layout)]
    passed = [visited.site for visited in visits]
    if passed != wanted:
        return f"a pass comes by {_listed(passed)} where {_listed(wanted)} was expected"
    by_site = {visited.site: visited for visited in visits}
    for found, terms, rounded in _sums(layers, layout):
        error = _error(by_site[found], *([by_site[one] for one in of] for of in (terms, rounded)))
        if error is not None:
            total = " + ".join(map(str, terms))
            return f"{found} is not {total} (off by {error:.2g} where these are about 1)"
    return None


def _sums(layers: int, layout: Layout) -> Iterator[tuple[Site, list[Site], list[Site]]]:
    """Sites, of what each is the sum, and what else takes part in its rounding."""
    within = _SEQUENTIAL if _has_mid(layout) else _WITHOUT_MID
    # What is written at resid_mid of a parallel block goes there as a change of attn_out.
    beside = (Point.RESID_PRE, Point.ATTN_OUT) if layout.parallel else ()
    for layer in range(layers):
        if layer:
            yield Site(layer, Point.RESID_PRE), [Site(layer - 1, Point.RESID_POST)], []
        for point, terms in within.items():
            rounded = [Site(layer, one) for one in beside if point is Point.RESID_POST]
            yield Site(layer, point), [Site(layer, one) for one in terms], rounded


def _error(
    target: _Visited, terms: Sequence[_Visited], rounded: Sequence[_Visited]
) -> float | None:
    # Rounding in the coarsest of the dtypes that took part, and nothing more.
    eps = max(one.eps for one in (target, *terms))
    written = torch.stack([one.written for one in terms])
    size = torch.stack([one.written for one in (*terms, *rounded)]).abs().sum(0)
    error = (target.found - written.sum(0)).abs()
    return None if bool((error <= ROUNDINGS * eps * size).all()) else float(error.max())


def _listed(sites: Sequence[Site], most: int = 7) -> str:
    shown = ", ".join(map(str, sites[:most])) or "nothing"
    return shown + (", …" if len(sites) > most else "")


def _tokens(model: nn.Module) -> Tensor:
    config: Any = model.config
    weight: Any = model.get_input_embeddings().weight  # type: ignore[operator]
    generator = torch.Generator().manual_seed(0)
    count = config.get_text_config().vocab_size
    return torch.randint(count, (1, TOKENS), generator=generator).to(weight.device)


@contextmanager
def _plain_attention(model: Any) -> Iterator[None]:
    # An engine may have put in an attention of its own, which works in its own passes alone.
    given = model.config._attn_implementation
    if given in (None, "eager", "sdpa"):
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(given)
