"""Large dictionaries are converted in pieces, also where they have to be turned."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from tests.formats.build import json_bytes

WIDTH, LATENTS = 512, 32_768  # 128 MiB as float32.


def large() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {
        "W_enc": draw.standard_normal((WIDTH, LATENTS), "f4"),
        "W_dec": draw.standard_normal((LATENTS, WIDTH), "f4"),
        "b_enc": np.zeros(LATENTS, "f4"),
        "b_dec": np.zeros(WIDTH, "f4"),
    }


def saelens(folder: Path) -> None:
    save_file(large(), folder / "sae_weights.safetensors")
    config = {"d_in": WIDTH, "d_sae": LATENTS, "architecture": "standard"}
    config["metadata"] = {"sae_lens_version": "6.0.0", "hook_name": "blocks.3.hook_resid_post"}
    (folder / "cfg.json").write_text(json.dumps(config))


def gemma_scope(folder: Path) -> None:
    inner = folder / "layer_3"
    inner.mkdir()
    np.savez(inner / "params.npz", threshold=np.ones(LATENTS, "f4"), **large())


def dictionary_learning(folder: Path) -> None:
    tensors = {name: torch.tensor(array) for name, array in large().items()}
    tensors["threshold"] = torch.ones(LATENTS)
    torch.save(tensors, folder / "ae.pt")
    trainer = {
        "dict_class": "JumpReluAutoEncoder",
        "layer": 3,
        "submodule_name": "resid_post_layer_3",
    }
    (folder / "config.json").write_bytes(json_bytes({"trainer": trainer}))


@pytest.mark.parametrize(
    ("write", "most"), [(saelens, 1.4), (gemma_scope, 1.4), (dictionary_learning, 2.5)]
)
def test_memory_is_bounded(tmp_path, write, most):
    """Pages of files that are mapped count here, though they are not held: the decoder is looked
    at twice, and torch maps its whole file."""
    folder = tmp_path / write.__name__
    folder.mkdir()
    write(folder)
    command = [sys.executable, "-m", "tests.formats.converting", str(folder), str(tmp_path / "s")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    size, grown = map(int, done.stdout.split())
    assert size > 128 << 20
    assert grown < most * size, f"{grown / size:.2f} times the size"
    print(f"{write.__name__}: {grown / size:.2f} times {size >> 20} MiB")
