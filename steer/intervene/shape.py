"""Whether a model has what is asked for: sites and token ids. No torch."""

from collections.abc import Mapping, Sequence

from steer.errors import FailedPrecondition, Violations
from steer.intervene.markers import check_markers
from steer.types import ModelInfo, Site, Where

LARGEST_BIAS = 1e6
"""Of a logit: far beyond any effect, and no sum of two overflows."""


def check_site(site: Site, model: ModelInfo, path: str, found: Violations) -> bool:
    """Whether the model has the site."""
    if site.layer >= model.layers:
        message = f"layer {site.layer} is outside the model (0 to {model.layers - 1})"
        found.add(f"{path}.layer", "LAYER_OUT_OF_RANGE", message)
        return False
    if site.point not in model.points:
        message = f"this architecture has no {site.point.value}"
        found.add(f"{path}.point", "NO_SUCH_POINT", message, FailedPrecondition)
        return False
    return True


def check_ids(ids: Sequence[int], path: str, model: ModelInfo, found: Violations) -> None:
    """Report token ids that the model has not."""
    unknown = [token for token in ids if token >= model.vocab_size]
    if unknown:
        message = f"no such token: {unknown[:5]}; ids go from 0 to {model.vocab_size - 1}"
        found.add(path, "UNKNOWN_TOKEN", message)


def check_where(where: Where, path: str, model: ModelInfo, found: Violations) -> None:
    """Report what of a where can not be: token ids, markers."""
    check_ids(where.token_ids, f"{path}.token_ids", model, found)
    check_ids(where.exclude_token_ids, f"{path}.exclude_token_ids", model, found)
    check_markers(where.markers, f"{path}.markers", found)


def check_bias(biases: Mapping[int, float], path: str, model: ModelInfo, found: Violations) -> None:
    """Report logit biases that are too large, or of token ids that the model has not."""
    for token, value in biases.items():
        if abs(value) > LARGEST_BIAS:
            message = f"is {value:g}; give a number from {-LARGEST_BIAS:g} to {LARGEST_BIAS:g}"
            found.add(f"{path}[{token}]", "OUT_OF_RANGE", message)
    check_ids(tuple(biases), path, model, found)
