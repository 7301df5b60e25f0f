"""A large dictionary, and how much of a server's memory it takes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import steer
from bench.served import serving
from steer.store import Architecture, Card, DictionarySpec, tensors
from steer.types import ModelInfo, Site

PROMPT = "quiz 7 : h e h b b d ="


def memory(folder: Path, size: int) -> dict[str, float]:
    """The most that a server's resident memory grows by from when it is idle, over the size of a
    dictionary in bytes, in each step of what can be done with it."""
    options = {"store": folder / "store", "max_upload_bytes": 2 * size}
    with (
        serving(model="organism/a1", **options) as server,
        steer.Client(server.address, timeout=600) as client,
    ):
        made, vectors = dictionary(folder / "made", client.model(), size), client.vectors
        steps: Mapping[str, Callable[[], object]] = {
            "upload": lambda: vectors.upload("large", made),
            "use": lambda: client.compare(PROMPT, steer.feature("large", {3: 8.0}), max_tokens=4),
            "read out": lambda: client.capture(PROMPT, features={"large": 5}),
            "download": lambda: vectors.download("large", folder / "again"),
            "export": lambda: vectors.export("large", "saelens", folder / "sae"),
            "import": lambda: vectors.import_(folder / "sae", "large/again"),
            "verify": vectors.verify,
        }
        client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=4)
        idle, grown = server.resident(), {}
        for name, step in steps.items():
            server.forget_peak()
            step()
            grown[name] = round((server.peak() - idle) / size, 3)
    return grown


def dictionary(folder: Path, model: ModelInfo, size: int) -> Path:
    """A folder of an SAE for the model: random numbers, a little less than ``size`` bytes."""
    d_sae = size // (4 * (2 * model.d_model + 1)) - model.d_model
    draw, site = np.random.default_rng(0), Site(2)
    arrays = {
        "encoder": draw.standard_normal((d_sae, model.d_model), "f4"),
        "decoder": draw.standard_normal((d_sae, model.d_model), "f4"),
        "decoder_bias": np.zeros(model.d_model, "f4"),
        "encoder_bias": np.zeros(d_sae, "f4"),
    }
    card = Card(
        model=model.id,
        fingerprint=model.fingerprint,
        d_model=model.d_model,
        sites=(site,),
        method="random",
        kind="sae",
        dictionary=DictionarySpec(Architecture.STANDARD, d_sae),
    )
    folder.mkdir()
    (folder / "card.json").write_text(card.to_json())
    with open(folder / "vector.safetensors", "wb") as file:
        file.writelines(tensors.encode(arrays)[1])
    return folder
