"""vectors/README.md is enough: stores written by it alone, without this package, are read."""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from steer.store import Architecture, Store, bundled
from steer.types import Site
from tests.store import items

README = (bundled() / "README.md").read_text()
D, D_SAE = 8, 24


def card(kind: str, sites: list[str], data: bytes, **more: object) -> dict[str, object]:
    return {
        "format": "steer.vector/1",
        "kind": kind,
        "model": {"id": "m", "fingerprint": "sha256:f"},
        "d_model": D,
        "sites": sites,
        "method": {"name": "by hand"},
        "sha256": hashlib.sha256(data).hexdigest(),
        **more,
    }


def write_simple(folder: Path, kind: str, sites: list[str], arrays, **more: object) -> None:
    data = save(arrays)
    folder.mkdir(parents=True)
    (folder / "vector.safetensors").write_bytes(data)
    (folder / "card.json").write_text(json.dumps(card(kind, sites, data, **more)))


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def dictionary(architecture: str, **more: object) -> dict[str, object]:
    return {"dictionary": {"architecture": architecture, "d_sae": D_SAE, **more}}


WIDE = {"encoder": normal(D_SAE, D), "decoder": normal(D_SAE, D), "decoder_bias": normal(D)}
GIVEN = {
    "direction": (["resid_post.1"], {"resid_post.1": normal(D)}, {}),
    "low_rank": (
        ["mlp_out.0"],
        {
            "rotation.mlp_out.0": normal(2, D),
            "weight.mlp_out.0": normal(2, D),
            "bias.mlp_out.0": normal(2),
        },
        {},
    ),
    "probe": (
        ["resid_pre.3"],
        {"weight.resid_pre.3": normal(D), "bias.resid_pre.3": normal(1)},
        {},
    ),
    "sae": (
        ["resid_post.1"],
        WIDE | {"encoder_bias": normal(D_SAE)},
        dictionary("topk", k=3, normalize="layer_norm", apply_b_dec_to_input=True),
    ),
    "transcoder": (
        ["resid_mid.1"],
        WIDE | {"encoder_bias": normal(D_SAE), "threshold": normal(D_SAE), "skip": normal(D, D)},
        dictionary("jumprelu", site_out="mlp_out.1"),
    ),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_what_another_program_wrote_is_read(kind, tmp_path):
    sites, arrays, more = GIVEN[kind]
    write_simple(tmp_path / "by/hand", kind, sites, arrays, **more)
    store = Store(tmp_path)
    item = store.get("by/hand")
    assert item.kind == kind and {str(site) for site in item.card.sites} == set(sites)
    for name, array in arrays.items():
        assert np.array_equal(item.arrays()[name], array)
    assert store.page()[0].norms == tuple(item.norms().values())
    assert store.get(f"by/hand@{item.content_hash}") is item  # As receipts have it.
    assert store.verify().damage == ()


def test_another_program_adds_a_version_as_the_readme_says(tmp_path):
    store = Store(tmp_path)
    store.add(items.vector("happy", seed=1))
    data = save({"resid_post.1": normal(D)})
    text = json.dumps(card("direction", ["resid_post.1"], data)).encode()
    folder = tmp_path / "happy"
    (folder / f"{hashlib.sha256(data).hexdigest()}.safetensors").write_bytes(data)
    (folder / "draft").write_bytes(text)
    with pytest.raises(FileExistsError):
        os.link(folder / "draft", folder / "card.json")
    os.link(folder / "draft", folder / "@2.json")
    (folder / "draft").unlink()
    found = store.get("happy")
    assert np.array_equal(found.arrays()["resid_post.1"], normal(D))
    assert store.get(f"happy@sha256:{hashlib.sha256(text).hexdigest()}") is found
    assert store.add(items.vector("happy", seed=1)).number == 3
    assert store.verify().damage == ()


def test_what_the_store_writes_is_what_the_readme_says(tmp_path):
    store = Store(tmp_path)
    for seed in range(3):
        store.add(items.vector("happy", seed))
    store.delete("happy@2")
    names = {path.name for path in (tmp_path / "happy").iterdir()}
    cards = {"card.json", "@3.json"}
    hashes = {json.loads((tmp_path / "happy" / c).read_text())["sha256"] for c in cards}
    assert names == cards | {"@2.gone"} | {f"{one}.safetensors" for one in hashes}
    text = (tmp_path / "happy/@3.json").read_bytes()
    assert store.resolve("happy").digest == f"sha256:{hashlib.sha256(text).hexdigest()}"
    raw = json.loads(text)
    values = load_file(tmp_path / "happy" / f"{raw['sha256']}.safetensors")
    digest = hashlib.sha256()
    for site in sorted(map(Site.parse, raw["sites"])):
        digest.update(f"{site}:{D}\n".encode() + values[str(site)].tobytes())
    assert raw["content_hash"] == f"sha256:{digest.hexdigest()}"


def test_the_readme_names_every_field_tensor_and_kind(tmp_path):
    fields = set()
    for item in items.every_kind().values():
        raw = Store(tmp_path).put(item).card.to_dict()
        fields |= raw.keys() | raw.get("dictionary", {}).keys() | {item.kind}
        fields |= {name.split(".")[0] for name in item.arrays()} - {"resid_post", "mlp_out"}
    fields -= {"defaults"}  # There by its two parts.
    assert {f for f in fields if not re.search(rf"`{f}[`.]", README)} == set()
    assert {a.value for a in Architecture if f"`{a.value}`" not in README} == set()
