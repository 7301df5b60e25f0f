"""Extract a vector from two files of prompts: `python -m steer.elicit.pairs`.

Each file holds one prompt on a line. The vector is the mean activation at the last token of the
positive prompts minus that of the negative ones, at `resid_post` of each layer given. It is
stored with a card that says how it was made.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from steer.elicit.difference import difference_of_means
from steer.errors import InvalidRequest
from steer.models.load import LoadedModel, load
from steer.store import Card, Store, Vector
from steer.types import Prompt, Site


def extract(
    model: LoadedModel,
    positive: Sequence[str],
    negative: Sequence[str],
    layers: Sequence[int],
    store: Store,
    name: str,
) -> Vector:
    """Extract a vector from two classes of prompts and store it under `name`.

    layers: 0-based decoder blocks. Raises InvalidRequest for an empty class, a layer the model
    does not have, or a bad name.
    """
    made = difference_of_means(
        model.network, _encode(model, positive), _encode(model, negative), layers
    )
    card = Card(
        model=model.id,
        revision=model.revision,
        fingerprint=model.fingerprint,
        d_model=model.d_model,
        sites=tuple(Site(layer) for layer in layers),
        method="difference_of_means",
        description="Mean of the positive prompts minus mean of the negative, at the last token.",
        parameters={
            "position": "last prompt token",
            "positive": len(positive),
            "negative": len(negative),
        },
        residual_norms={Site(layer): round(norm, 4) for layer, norm in made.norms.items()},
        data_hash=_hash(positive, negative),
    )
    vectors = {Site(layer): made.vectors[layer] for layer in layers}
    spreads = {Site(layer): made.spreads[layer] for layer in layers if len(made.spreads[layer])}
    return store.put(Vector(name, vectors, card, spreads=spreads))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="hub id, local folder or GGUF file")
    parser.add_argument("--positive", type=Path, required=True, help="file of prompts")
    parser.add_argument("--negative", type=Path, required=True, help="file of prompts")
    parser.add_argument("--layers", type=int, nargs="+", required=True, help="0-based blocks")
    parser.add_argument("--store", type=Path, required=True, help="folder of the store")
    parser.add_argument("--name", required=True, help="of the vector in the store")
    chosen = parser.parse_args(arguments)
    model = load(chosen.model, dtype="float32")
    positive, negative = _lines(chosen.positive), _lines(chosen.negative)
    vector = extract(model, positive, negative, chosen.layers, Store(chosen.store), chosen.name)
    for site, norm in zip(vector.card.sites, vector.info().norms, strict=True):
        print(f"{vector.name} {site}: norm {norm:.2f}, ‖h‖ {vector.card.residual_norms[site]:.2f}")


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()]


def _encode(model: LoadedModel, texts: Sequence[str]) -> list[tuple[int, ...]]:
    if not texts:
        raise InvalidRequest("both classes need at least one prompt")
    return [model.text.encode(Prompt(text=text), "prompt") for text in texts]


def _hash(*classes: Sequence[str]) -> str:
    text = "\n\n".join("\n".join(prompts) for prompts in classes)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


if __name__ == "__main__":
    main()
