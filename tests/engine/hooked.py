"""What an arm's row should have given: a plain pass over all of its tokens, with plain hooks.

Nothing is shared with the engine but the table of sites: no cache, no cursors, no bank. The model
is causal, so the logits of every position come from one pass over what was generated; rows of equal
length go through it together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.intervene.sites import Visit, visiting
from steer.types import FeatureReceipt, GateReceipt, Site, Where
from tests.engine.treatments import Gating, Treatment
from tests.helpers import TEXT
from tests.intervene.where_reference import multipliers


@dataclass(frozen=True)
class Noted:
    """What a receipt should say. ``features``: latent, mean activation before and after."""

    tokens: int
    mean_change: float
    gate: GateReceipt | None
    features: tuple[FeatureReceipt, ...]


@dataclass
class Hooked:
    """``logits`` (positions, vocab); ``seen``: activations (positions, d_model) after the
    interventions at a site; ``notes``: one a treatment; ``edge``: how near any choice in the pass
    came to going the other way, where rounding may decide it."""

    logits: Tensor
    seen: Mapping[Site, Tensor]
    notes: list[Noted]
    edge: float


@dataclass
class Row:
    """One row: ``ids`` are all tokens that are computed, the last generated one is not. ``watch``:
    sites to be read."""

    prompt: Sequence[int]
    generated: Sequence[int]
    treatments: Sequence[Treatment] = ()
    watch: Sequence[Site] = ()
    _fresh: dict[Site, Tensor] = field(default_factory=dict)
    _seen: dict[Site, Tensor] = field(default_factory=dict)
    _notes: dict[int, Noted] = field(default_factory=dict)
    _edges: list[float] = field(default_factory=list)

    @cached_property
    def ids(self) -> list[int]:
        """Tokens of the pass."""
        return [*self.prompt, *self.generated[:-1]]

    @cached_property
    def pieces(self) -> list[str]:
        """What each token adds to the text."""
        texts = [TEXT._tokenizer.decode(self.ids[:n]) for n in range(len(self.ids) + 1)]
        return [text[len(last) :] for last, text in pairwise(texts)]

    @property
    def sites(self) -> set[Site]:
        """Where something has to be seen or done."""
        gates = {one.gate.planned.site for one in self.treatments if one.gate is not None}
        return {*self.watch, *gates, *(one.site for one in self.treatments)}

    def visit(self, site: Site, hidden: Tensor) -> None:
        """Act on activations (positions, d_model), in place."""
        self._fresh[site] = fresh = hidden.double()
        now, touched = fresh.clone(), torch.zeros(len(fresh), dtype=torch.bool)
        for number, one in enumerate(self.treatments):
            if one.site == site:
                acts, after = self._act(number, one, now, fresh)
                now = torch.where(acts[:, None], after, now)
                touched |= acts
        hidden[touched] = now[touched].float()
        self._seen[site] = hidden.clone()

    def routed(self, nearness: Tensor) -> None:
        """How near tokens came to other experts."""
        self._edges += nearness.tolist()

    def result(self, logits: Tensor) -> Hooked:
        """After the pass."""
        notes = [self._notes[number] for number in range(len(self.treatments))]
        return Hooked(logits, self._seen, notes, min(self._edges, default=float("inf")))

    def _act(self, number: int, one: Treatment, h: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
        """At which tokens it acts, and all tokens as if it did."""
        strengths = torch.tensor(self._multipliers(one.where), dtype=torch.float64)
        reached, gate = strengths != 0, None
        acts = reached.clone()
        if one.gate is not None:
            opens, gate = self._gate(one.gate, reached)
            acts &= opens
        if one.only is not None:
            acts &= torch.tensor([place in one.only for place in range(len(h))])
        after = one.formula(range(len(h)))(h, fresh, one.strength * strengths)
        if one.keep_norm:
            after = after * (h.norm(dim=-1) / after.norm(dim=-1))[:, None]
        after = after.float().double()
        self._edges += h.norm(dim=-1)[acts].tolist()  # nothing has no direction
        self._notes[number] = self._note(one, acts, gate, h, fresh, after)
        return acts, after

    def _multipliers(self, where: Where) -> list[float]:
        pieces = self.pieces if where.markers else ()
        return multipliers(where, len(self.prompt), self.ids, pieces, TEXT.special)

    def _gate(self, gate: Gating, reached: Tensor) -> tuple[Tensor, GateReceipt]:
        h = self._fresh[gate.planned.site]
        reading = gate.reading(h)
        opens, read = gate.opens(reading), reading[reached]
        size = reading.abs() if gate.planned.absolute else reading
        self._edges += h.norm(dim=-1)[reached].tolist()
        self._edges += (size - gate.planned.threshold).abs()[reached].tolist()
        if gate.edge is not None:
            self._edges += gate.edge(h)[reached].tolist()
        mean = read.mean().item() if len(read) else 0.0
        return opens, GateReceipt(len(read), int(opens[reached].sum()), mean)

    def _note(
        self,
        one: Treatment,
        acts: Tensor,
        gate: GateReceipt | None,
        h: Tensor,
        fresh: Tensor,
        after: Tensor,
    ) -> Noted:
        if not acts.any():
            none = tuple(FeatureReceipt(latent, 0.0, 0.0) for latent in one.latents)
            return Noted(0, 0.0, gate, none)
        relative = ((after - h).norm(dim=-1) / h.norm(dim=-1))[acts]
        features: tuple[FeatureReceipt, ...] = ()
        if one.coder is not None:
            for state in (fresh, after):
                self._edges += one.coder.edge(state, one.latents)[acts].tolist()
            before, later = (one.coder.encode(each)[acts].mean(0) for each in (fresh, after))
            features = tuple(
                FeatureReceipt(latent, before[latent].item(), later[latent].item())
                for latent in one.latents
            )
        return Noted(int(acts.sum()), relative.mean().item(), gate, features)


def hooked(net: PreTrainedModel, rows: Sequence[Row]) -> list[Hooked]:
    """Passes over rows, in their order."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_length[len(row.ids)].append(number)
    found = {}
    for numbers in by_length.values():
        for number, one in zip(numbers, _together(net, [rows[n] for n in numbers]), strict=True):
            found[number] = one
    return [found[number] for number in range(len(rows))]


def _together(net: PreTrainedModel, rows: Sequence[Row]) -> list[Hooked]:
    """Passes over rows of equal length."""

    def visiting_all(site: Site) -> Visit:
        def visit(hidden: Tensor) -> None:
            for row, own in zip(rows, hidden, strict=True):
                if site in row.sites:
                    row.visit(site, own)

        return visit

    at = {site for row in rows for site in row.sites}
    with torch.no_grad(), visiting(net, {site: visiting_all(site) for site in at}):
        with _routing(net, rows):
            logits = net(torch.tensor([row.ids for row in rows]), use_cache=False).logits.float()
    return [row.result(own) for row, own in zip(rows, logits, strict=True)]


@contextmanager
def _routing(net: PreTrainedModel, rows: Sequence[Row]) -> Iterator[None]:
    """Tells rows how near their tokens come to other experts."""

    def note(module: torch.nn.Module, args: tuple[Tensor, ...], _output: object) -> None:
        hidden = args[0].view(len(rows), -1, args[0].shape[-1])
        best = (hidden @ module.weight.T).sort(-1, descending=True).values
        nearness = best[..., module.top_k - 1] - best[..., module.top_k]
        for row, own in zip(rows, nearness, strict=True):
            row.routed(own)

    routers = [one for one in net.modules() if type(one).__name__.endswith("TopKRouter")]
    handles = [router.register_forward_hook(note) for router in routers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
