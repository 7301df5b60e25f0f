"""Reading activations of an unsteered pass, apart from the running rows."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import torch
from torch import Tensor
from transformers import PreTrainedModel

from steer.engine.embedded import step
from steer.engine.embedded.forward import forward
from steer.engine.embedded.kv import KV
from steer.engine.rows import round_up
from steer.intervene.sites import Visit, visiting
from steer.types import Site


def activations(
    network: PreTrainedModel, tokens: Sequence[int], at: Sequence[Site]
) -> Mapping[Site, Tensor]:
    """Unsteered float32 activations (positions, d_model) at sites, for one sequence."""
    found: dict[Site, Tensor] = {}

    def reader(site: Site) -> Visit:
        def visit(hidden: Tensor) -> None:
            found[site] = hidden[0].float()

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
    """Mean ‖h‖ at each site over the tokens that are not special (over all, if all are).

    The first token of a sequence is an attention sink in many models, with a norm far above the
    others', so it is left out where there is another.
    """
    kept = [i for i, token in enumerate(tokens) if i and token not in special]
    kept = kept or list(range(len(tokens)))
    found = activations(network, tokens, at)
    return {site: float(torch.linalg.vector_norm(found[site][kept], dim=-1).mean()) for site in at}
