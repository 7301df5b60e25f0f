"""Reading activations of a prompt, apart from the running rows."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.embedded import step
from steer.engine.embedded.encoders import Encoders
from steer.engine.embedded.forward import forward
from steer.engine.embedded.kv import KV
from steer.engine.embedded.sitework import Latent, reading
from steer.engine.rows import round_up
from steer.intervene.plan import PlannedGate
from steer.intervene.sites import Visit, visiting
from steer.types import GateScope, Site


def activations(
    network: PreTrainedModel, tokens: Sequence[int], at: Sequence[Site]
) -> Mapping[Site, Tensor]:
    """Float32 activations (positions, d_model) at sites, for one sequence, after whatever acts
    there."""
    found: dict[Site, Tensor] = {}

    def reader(site: Site) -> Visit:
        def visit(hidden: Tensor) -> None:
            # A copy: what comes after may change the same tensor in place.
            found[site] = hidden[0, : len(tokens)].float().clone()

        return visit

    device = next(network.parameters()).device
    positions = round_up(len(tokens))
    inputs = step.build([step.Segment(0, 0, tokens)], 1, positions, device)
    with visiting(network, {site: reader(site) for site in at}):
        forward(network, KV(1, positions), inputs, torch.tensor([0], device=device))
    return found


def norms(
    network: PreTrainedModel, tokens: Sequence[int], at: Sequence[Site], special: AbstractSet[int]
) -> Mapping[Site, float]:
    """Mean ‖h‖ at each site over the tokens that ``told`` keeps."""
    kept = told(tokens, special)
    found = activations(network, tokens, at)
    return {site: float(torch.linalg.vector_norm(found[site][kept], dim=-1).mean()) for site in at}


def decide(gate: PlannedGate, h: Tensor, kept: Sequence[int], encoders: Encoders) -> float:
    """What a gate of scope ``PROMPT`` or ``LAST`` reads of a prompt's activations (P, d_model)."""
    latent = gate.reading == "feature"
    if gate.scope is GateScope.LAST:
        h = h[-1:]
    elif latent:
        h = h[kept]  # a latent is sparse: of a mean of activations it says nothing
    else:
        h = h[kept].mean(0, keepdim=True)
    row = torch.tensor(gate.row, device=h.device).expand(len(h), -1)
    params = torch.tensor(gate.params, device=h.device).expand(len(h), -1)
    chosen = None
    if gate.dictionary is not None:
        latents = torch.full((len(h),), gate.latent, device=h.device)
        chosen = Latent(gate.dictionary, latents)
    return float(reading(gate.reading, h, row, params, chosen, encoders).max())


def told(tokens: Sequence[int], special: AbstractSet[int]) -> list[int]:
    """Positions that say something about a prompt: not special, or all, if all are.

    The first token of a sequence is an attention sink in many models, with a norm far above the
    others', so it is left out where there is another.
    """
    kept = [i for i, token in enumerate(tokens) if i and token not in special]
    return kept or list(range(len(tokens)))
