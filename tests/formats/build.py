"""Sources of every format, built to the keys its writer documents, with seeded numbers.

Fixtures hold what the libraries themselves wrote; these are for formats whose writers do not
install, and for tests that need a file to spoil.
"""

import io
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save as save_safetensors

from steer.formats import Source

FIXTURES = Path(__file__).parent / "fixtures"
D, N, K = 12, 20, 4
Files = dict[str, bytes]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("f4")


def fixture(name: str) -> Files:
    """The files of a fixture by their paths in it."""
    root = FIXTURES / name
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def expected(name: str) -> dict[str, np.ndarray]:
    """What the library made of the fixture's inputs."""
    from safetensors.numpy import load_file

    return load_file(FIXTURES / f"{name.replace('/', '-')}.expected.safetensors")


def source(files: Files, label: str = "") -> Source:
    return Source.of_files(files, label)


def torch_bytes(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def json_bytes(content: object) -> bytes:
    return json.dumps(content).encode()


def gguf_bytes(
    tmp: Path,
    directions: dict[int, np.ndarray],
    *,
    signed: bool = False,
    architecture: str = "controlvector",
    **values: str | int | float,
) -> bytes:
    """Written by the gguf library; ``signed``: as llama.cpp's generator writes the count."""
    path = tmp / "built.gguf"
    writer = gguf.GGUFWriter(str(path), architecture)
    (writer.add_int32 if signed else writer.add_uint32)(
        f"{architecture}.layer_count", len(directions)
    )
    for key, value in values.items():
        add = {str: writer.add_string, int: writer.add_int32, float: writer.add_float32}
        add[type(value)](key.replace("__", "."), value)
    for layer, direction in directions.items():
        writer.add_tensor(f"direction.{layer}", direction)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def layers_safetensors() -> Files:
    tensors = {f"resid_post.{layer}": normal(D, seed=layer) for layer in (1, 3)}
    return {"v.safetensors": save_safetensors(tensors)}


def layers_npz() -> Files:
    return {"v.npz": npz_bytes(**{f"layer_{layer}": normal(D, seed=layer) for layer in (1, 3)})}


def svec() -> Files:
    directions = {str(layer): normal(D, seed=layer).tolist() for layer in (0, 4)}
    content = {"model_type": "llama", "directions": directions, "explained_variances": {"0": 0.5}}
    return {"refusal.svec": json_bytes(content)}


def hotwire() -> Files:
    rows = np.concatenate([np.zeros((1, D), "f4"), normal(3, D)])
    return {
        "calm.pt": torch_bytes(torch.tensor(rows)),
        "formal.pt": torch_bytes({"v": torch.tensor(rows * 2)}),
        "h_norms.json": json_bytes({"h_norms": {"1": 54.9, "2": 60}, "model": "org/model"}),
    }


def axbench() -> Files:
    return {
        "LinearProbe_weight.pt": torch_bytes(torch.tensor(normal(5, D))),
        "LinearProbe_bias.pt": torch_bytes(torch.tensor(normal(5, seed=1))),
    }


def bias_folder() -> Files:
    return {
        f"intkey_layer_{layer}_comp_mlp_output_unit_pos_nunit_1#0.bin": torch_bytes(
            {"bias": torch.tensor(normal(1, D, seed=layer))}
        )
        for layer in (1, 2)
    }


def lm_eval(action: str = "add", coefficients: tuple[float, ...] = (2.0, 2.0)) -> Files:
    content = {
        f"layers.{layer}": {
            "steering_vector": torch.tensor(normal(D, seed=layer)),
            "steering_coefficient": coefficient,
            "action": action,
            "bias": torch.tensor(normal(D, seed=9)),
        }
        for layer, coefficient in enumerate(coefficients, 1)
    }
    return {"steer.pt": torch_bytes(content)}


def lm_eval_csv() -> Files:
    rows = (
        "loader,action,sparse_model,hookpoint,feature_index,steering_coefficient,sae_id,description,"
        "\nsparsify,add,org/run,layers.3,5,10.0,,,\n"
    )
    inner = {f"org/run/{path}": data for path, data in fixture("sparsify-sae").items()}
    return {"steer.csv": rows.encode(), **inner}


def npz_bytes(compressed: bool = False, **arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def gemma_arrays() -> dict[str, np.ndarray]:
    return {
        "W_enc": normal(D, N, seed=1),
        "W_dec": normal(N, D, seed=2),
        "b_enc": normal(N, seed=3),
        "b_dec": normal(D, seed=4),
        "threshold": np.abs(normal(N, seed=5)),
    }


def gemma_scope(path: str = "layer_20/width_16k/average_l0_71") -> Files:
    return {f"{path}/params.npz": npz_bytes(**gemma_arrays())}


def gemma_scope_2(point: str = "model.layers.7.output", **more: str) -> Files:
    tensors = {name.lower(): array for name, array in gemma_arrays().items()}
    config = {"architecture": "jump_relu", "model_name": "gemma-v3-1b-pt"}
    config |= {"hf_hook_point_in": point, **more}
    return {
        "params.safetensors": save_safetensors(tensors),
        "config.json": json_bytes(config),
    }


def linear_tensors() -> dict[str, np.ndarray]:
    a = gemma_arrays()
    return {
        "encoder.weight": np.ascontiguousarray(a["W_enc"].T),
        "decoder.weight": np.ascontiguousarray(a["W_dec"].T),
        "encoder.bias": a["b_enc"],
        "decoder.bias": a["b_dec"],
    }


def llama_scope() -> Files:
    config = {
        "d_model": D,
        "d_sae": N,
        "hook_point_in": "blocks.8.hook_resid_post",
        "hook_point_out": "blocks.8.hook_resid_post",
        "jump_relu_threshold": 0.2,
        "dataset_average_activation_norm": {"in": 6.25, "out": 6.25},
        "act_fn": "jumprelu",
    }
    return {
        "L8R-8x/hyperparams.json": json_bytes(config),
        "L8R-8x/checkpoints/final.safetensors": save_safetensors(linear_tensors()),
    }


def llama_scope_r1() -> Files:
    config = {"d_model": D, "hook_point_in": "blocks.8.hook_resid_post", "expansion_factor": 8}
    tensors = linear_tensors() | {"log_jumprelu_threshold": normal(N, seed=5)}
    return {
        "L8R/config.json": json_bytes(config),
        "L8R/sae_weights.safetensors": save_safetensors(tensors),
    }


def goodfire() -> Files:
    renamed = {
        name.replace(".", "_linear."): torch.tensor(array)
        for name, array in linear_tensors().items()
    }
    return {"Llama-3.1-8B-Instruct-SAE-l19.pth": torch_bytes(renamed)}


def qwen_scope() -> Files:
    a = gemma_arrays()
    tensors = {
        "W_enc": a["W_enc"].T,
        "W_dec": a["W_dec"].T,
        "b_enc": a["b_enc"],
        "b_dec": a["b_dec"],
    }
    return {"layer3.sae.pt": torch_bytes({k: torch.tensor(v) for k, v in tensors.items()})}


QWEN_LABEL = "Qwen/SAE-Res-Qwen3-1.7B-Base-W32K-L0_4"


def saelens_5(**more: object) -> Files:
    """A folder as version 3 to 5 wrote them."""
    config = {
        "model_name": "gpt2-small",
        "hook_point": "blocks.8.hook_resid_pre",
        "hook_point_layer": 8,
        "d_in": D,
        "d_sae": N,
        "dtype": "torch.float32",
        "activation_fn_str": "relu",
        **more,
    }
    tensors = {name: array for name, array in gemma_arrays().items() if name != "threshold"}
    return {
        "cfg.json": json_bytes(config),
        "sae_weights.safetensors": save_safetensors(tensors),
    }
