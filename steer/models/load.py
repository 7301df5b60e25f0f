"""Loading a causal language model: bundled organism, hub id, local folder or GGUF file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from steer.errors import FailedPrecondition, NotFound
from steer.models.fingerprint import fingerprint
from steer.models.text import Text

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
ORGANISMS = Path(__file__).parent / "organisms"


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, its tokenizer and where it came from."""

    id: str
    revision: str
    fingerprint: str
    network: PreTrainedModel
    text: Text

    @property
    def device(self) -> torch.device:
        """Where token ids go in."""
        weight = next(self.network.get_input_embeddings().parameters())
        return weight.device

    @cached_property
    def parameters(self) -> int:
        """Number of parameters, as loaded."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.network.config.get_text_config().hidden_size)

    @property
    def end_tokens(self) -> frozenset[int]:
        """Ids that end a text, by the model's own generation configuration."""
        ids = self.network.generation_config.eos_token_id
        return frozenset([ids] if isinstance(ids, int) else ids or ())

    @property
    def context_length(self) -> int:
        """Longest sequence, tokens."""
        config: Any = self.network.config
        return int(getattr(config, "max_position_embeddings", 0) or config.n_positions)


def load(name: str, revision: str = "", dtype: str = "auto", device: str = "auto") -> LoadedModel:
    """Load ``organism/<name>``, a hub id, a local folder or a ``.gguf`` file.

    ``dtype``: float32, bfloat16, float16, or auto (the checkpoint's on an accelerator; float32 for
    bundled organisms). ``device``: a torch device, ``auto`` (an accelerator if there is one) or
    ``map``, which spreads the model over all devices by accelerate.

    Raises:
        NotFound: no such organism, file or hub id.
        FailedPrecondition: the checkpoint can not be served; says why.
    """
    if dtype != "auto" and dtype not in DTYPES:
        raise FailedPrecondition(f"dtype {dtype!r}: want auto, " + ", ".join(DTYPES))
    if not sys.stderr.isatty():
        disable_progress_bar()  # type: ignore[no-untyped-call]
    source = _source(name, revision)
    _check_device(device)
    try:
        with _parsed_once() if "gguf_file" in source else nullcontext():
            network = AutoModelForCausalLM.from_pretrained(
                **source, **_placement(device), **_dense(source), dtype="auto"
            )
            tokenizer = AutoTokenizer.from_pretrained(**source)
    except (OSError, ValueError) as error:
        raise NotFound(f"can not load model {name!r}: {error}", reason="MODEL_NOT_FOUND") from error
    network.train(False).requires_grad_(False)
    mark = fingerprint(network)
    if dtype != "auto":
        _cast(network, DTYPES[dtype])
    if device not in ("auto", "map"):
        nn.Module.to(network, device)
    elif device == "auto" and torch.cuda.is_available():
        nn.Module.to(network, "cuda")
    return LoadedModel(
        id=_display_name(name),
        revision=revision,
        fingerprint=mark,
        network=network,
        text=Text(tokenizer, network.config.get_text_config().vocab_size),
    )


def _source(name: str, revision: str) -> dict[str, Any]:
    path = Path(name)
    if name.startswith("organism/"):
        path = ORGANISMS / path.name
        if not (path / "config.json").is_file():
            known = ", ".join(f"organism/{p.parent.name}" for p in ORGANISMS.glob("*/config.json"))
            raise NotFound(f"no organism {name!r}; bundled: {known}", reason="MODEL_NOT_FOUND")
    elif path.suffix == ".gguf":
        if not path.is_file():
            raise NotFound(f"no file {name!r}", reason="MODEL_NOT_FOUND")
        return {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    elif not path.is_dir():
        if name.startswith(("/", "./", "../", "~")):
            raise NotFound(f"no folder {name!r}", reason="MODEL_NOT_FOUND")
        hub = {"pretrained_model_name_or_path": name}
        return hub | ({"revision": revision} if revision else {})
    return {"pretrained_model_name_or_path": str(path), "local_files_only": True}


def _check_device(device: str) -> None:
    # Before the weights are read, which can take minutes.
    if device in ("auto", "map"):
        return
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        why = str(error).partition("\n")[0]
        raise FailedPrecondition(f"device {device!r}: {why}", reason="DEVICE") from None


def _placement(device: str) -> dict[str, Any]:
    return {"device_map": "auto"} if device == "map" else {}


def _dense(source: dict[str, Any]) -> dict[str, Any]:
    # Newer transformers else keep some architectures' weights packed, in modules of their own.
    if "gguf_file" not in source:
        return {}
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Keep what transformers makes anew for configuration, weights and tokenizer of a GGUF file:
    its header, parsed in pure Python, and for every module a table of names."""
    import gguf

    slow = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    for name, make in slow.items():
        setattr(gguf, name, cache(make))
    try:
        yield
    finally:
        for name, make in slow.items():
            setattr(gguf, name, make)


def _cast(network: nn.Module, dtype: torch.dtype) -> None:
    # Buffers such as rotary frequencies stay float32, as transformers keeps them.
    for parameter in network.parameters():
        parameter.data = parameter.data.to(dtype)


def _display_name(name: str) -> str:
    local = Path(name).exists() and not name.startswith("organism/")
    return os.path.basename(os.path.abspath(name)) if local else name
