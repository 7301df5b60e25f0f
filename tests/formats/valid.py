"""A valid source of every format, and the options it needs."""

from collections.abc import Callable

import torch

from steer.formats import Options, write
from tests.formats import build
from tests.formats.build import Files, fixture
from tests.formats.writers.test_writers import VECTOR


def _own() -> Files:

    return {
        "v.safetensors": b"".join(write(VECTOR, "safetensors").files["vector.safetensors"].pieces())
    }


def _steerkit() -> Files:
    return {"x.safetensors": fixture("steerkit")["x.probe.safetensors"]}


def _packed() -> Files:
    return {"layer_3/params.npz": build.npz_bytes(True, **build.gemma_arrays())}


def _axbench_sae() -> Files:
    tensors = {name: torch.tensor(array) for name, array in build.gemma_arrays().items()}
    return {"GemmaScopeSAE.pt": build.torch_bytes(tensors)}


VALID: dict[str, tuple[Callable[[], Files], Options]] = {
    "gguf": (lambda: {"v.gguf": fixture("repeng")["vector.gguf"]}, Options()),
    "steer": (_own, Options()),
    "repsteer": (lambda: fixture("repsteer-direction"), Options()),
    "steerkit": (_steerkit, Options(choice="logistic")),
    "llama-scope": (build.llama_scope, Options()),
    "saelens": (lambda: fixture("saelens/gated"), Options()),
    "saelens 5": (build.saelens_5, Options()),
    "sparsify": (lambda: fixture("sparsify-sae"), Options()),
    "gemma-scope": (build.gemma_scope, Options()),
    "gemma-scope packed": (_packed, Options()),
    "gemma-scope-2": (build.gemma_scope_2, Options()),
    "dictionary-learning": (lambda: fixture("dictionary_learning/BatchTopKSAE"), Options()),
    "lm-eval-csv": (build.lm_eval_csv, Options()),
    "svec": (build.svec, Options()),
    "reft": (lambda: fixture("loreft"), Options()),
    "axbench": (build.axbench, Options(choice="1", layer=3)),
    "axbench-sae": (_axbench_sae, Options(layer=3)),
    "goodfire": (build.goodfire, Options()),
    "qwen-scope": (build.qwen_scope, Options(k=3)),
    "lm-eval": (build.lm_eval, Options()),
    "safetensors": (build.layers_safetensors, Options()),
    "torch": (build.hotwire, Options(choice="calm")),
    "numpy": (build.layers_npz, Options()),
}
"""By the format's name, with a word behind it where there are several."""
