"""What items do, slowly and plainly in float64."""

import numpy as np

from steer.store import Architecture, Dictionary, LowRankTensors, Normalize


def normalised(item: Dictionary, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input as the dictionary reads it, and by what its output is multiplied and moved."""
    one, zero = np.ones((len(x), 1)), np.zeros((len(x), 1))
    if item.spec.normalize is Normalize.LAYER_NORM:
        mean, spread = x.mean(1, keepdims=True), x.std(1, ddof=1, keepdims=True)
        return (x - mean) / (spread + 1e-5), spread, mean
    if item.spec.normalize is Normalize.CONSTANT_NORM:
        factor = x.shape[1] ** 0.5 / np.linalg.norm(x, axis=1, keepdims=True)
        return x * factor, 1 / factor, zero
    return x, one, zero


def activations(item: Dictionary, x: np.ndarray) -> np.ndarray:
    """Activations of every latent for rows of the input."""
    t = {name: array.astype("f8") for name, array in item.tensors.items()}
    x, _, _ = normalised(item, x)
    if item.spec.apply_b_dec_to_input:
        x = x - t["decoder_bias"]
    pre = x @ t["encoder"].T
    match item.spec.architecture:
        case Architecture.GATED:
            size = np.maximum(pre * np.exp(t["magnitude_log_scale"]) + t["magnitude_bias"], 0)
            return (pre + t["gate_bias"] > 0) * size
        case Architecture.JUMPRELU:
            pre = pre + t["encoder_bias"]
            return (pre > t["threshold"]) * np.maximum(pre, 0)
        case Architecture.TOPK:
            pre = pre + t["encoder_bias"]
            least = np.sort(pre, axis=1)[:, -item.spec.k][:, None]
            return (pre >= least) * np.maximum(pre, 0)
        case _:
            return np.maximum(pre + t["encoder_bias"], 0)


def output(item: Dictionary, x: np.ndarray) -> np.ndarray:
    """What the dictionary makes of rows of the input."""
    t = {name: array.astype("f8") for name, array in item.tensors.items()}
    _, times, plus = normalised(item, x)
    out = (activations(item, x) @ t["decoder"] + t["decoder_bias"]) * times + plus
    return out + x @ t["skip"].T if "skip" in t else out


def low_rank(tensors: LowRankTensors, h: np.ndarray) -> np.ndarray:
    """h + Rᵀ(W h + b - R h)."""
    r, w, b = (a.astype("f8") for a in (tensors.rotation, tensors.weight, tensors.bias))
    return h + (h @ w.T + b - h @ r.T) @ r
