"""`steer vectors` against a real server with a store of its own."""

import io
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from steer.cli.main import app
from steer.cli.vector_page import page
from steer.cli.vector_text import bar
from steer.store import Store, Vector
from steer.types import Point, Site, SiteStatistics, Strength, VectorInfo
from tests.formats.build import Files, fixture, normal, torch_bytes
from tests.formats.valid import VALID
from tests.server.conftest import Served, serving
from tests.store import items


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture(scope="module")
def served(folder: Path):
    with serving(folder) as running:
        yield running


@pytest.fixture
def store(folder: Path, served: Served):
    """Its store, with nothing of its own in it behind the test."""
    yield served.server._store
    for path in (folder / "store").glob("[!.]*"):
        shutil.rmtree(path)


@pytest.fixture
def run(served: Served, store: Store):
    def invoke(*arguments: object, code: int = 0, said: str = ""):
        environment = {"STEER_TARGET": served.address, "COLUMNS": "400"}
        done = CliRunner().invoke(
            app, ["vectors", *map(str, arguments)], env=environment, input=said
        )
        assert done.exit_code == code, done.output
        return done

    return invoke


def own(store: Store) -> list[str]:
    """Names of what is not shipped, and is still there."""
    return [info.name for info in store.page() if not info.bundled and store.has(info.name)]


def plain(done) -> object:
    return json.loads(done.stdout)


def write(folder: Path, files: Files) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


# ---- looking -------------------------------------------------------------------------------------


def test_the_list_says_versions_and_kinds(run, store):
    for seed in range(2):
        store.add(items.vector("v", seed))
    store.add(items.dictionary(name="d"))
    lines = run("list").stdout.splitlines()
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["v"][:4] == ["v", "2", "direction", "m"]
    assert rows["d"][:3] == ["d", "1", "sae"]
    assert rows["a1-rloo"][1] == "shipped"
    found = plain(run("list", "--kind", "sae", "--json"))
    assert [(one["name"], one["version"]) for one in found] == [("d", 1)]
    assert found[0]["sites"] == [{"layer": 0, "point": "resid_post"}]
    assert plain(run("list", "--model", "none", "--json")) == []


def test_show_draws_norms_and_says_what_is_near_and_raised(run, store):
    shown = run("show", "a1-rloo", "--nearest", "1", "--tokens", "2").stdout
    (line,) = [
        line for line in shown.splitlines() if line.startswith("resid_post.2  ") and "█" in line
    ]
    assert re.search(r"resid_post\.2\s+[\d.]+\s+[\d.]+%\s+█{30}", line)
    assert re.search(r"nearest\s+a1-dom [+-]\d\.\d\d", shown)
    assert "raises" in shown and "lowers" in shown and "content_hash" in shown
    said = plain(run("show", "a1-rloo", "--tokens", "3", "--json"))
    (site,) = said["statistics"]
    assert len(site["top"]) == len(site["bottom"]) == 3 and said["versions"] == [1]
    assert said["card"]["kind"] == "direction" and site["relative_norm"] > 0
    bare = plain(run("show", "a1-rloo", "--tokens", "0", "--nearest", "0", "--json"))
    assert bare["statistics"][0]["top"] == bare["statistics"][0]["nearest"] == []


def test_show_of_what_has_no_direction_or_another_model(run, store):
    store.add(items.dictionary(name="d"))
    store.add(items.vector("v"))
    store.add(items.vector("v", 1))
    assert "sae" in run("show", "d").stdout
    shown = run("show", "v@1").stdout
    assert "raises" not in shown and "1, 2" in shown
    bars = [line.count("█") for line in shown.splitlines() if "█" in line]
    assert len(bars) == 2 and max(bars) == 30
    assert "no vector named 'w'" in run("show", "w", code=2).stderr
    assert "no version 7" in run("show", "v@7", code=2).stderr
    run("show", "v", "--tokens", "101", code=2)


def test_the_page_needs_nothing_else(run, store, tmp_path):
    store.add(items.vector("team/v"))
    out = tmp_path / "v.html"
    assert run("show", "team/v", "--html", out).stdout.strip() == str(out)
    text = out.read_text()
    assert json.loads(run("show", "team/v", "--html", out, "--json").stdout)["name"] == "team/v"
    assert text.count('class="bar"') == 2 and "team/v@1" in text
    assert not re.search(
        r"(src|href)=|https?://|@import|url\(", text.replace("http://www.w3.org", "")
    )
    for name in ("Norm by layer, resid_post", "Norm by layer, mlp_out"):
        assert name in text
    assert (
        "missing/v.html: No such"
        in run("show", "team/v", "--html", tmp_path / "missing/v.html", code=2).stderr
    )


def info(*statistics: SiteStatistics) -> VectorInfo:
    sites, norms = tuple(s.site for s in statistics), tuple(s.norm for s in statistics)
    texts = {"kind": "<k>", "model": "m", "method": "t", "description": "<script>x</script>"}
    texts |= {"licence": "l", "created": "c"}
    return VectorInfo(
        name="v", fingerprint="f", d_model=4, sites=sites, norms=norms, content_hash="c",
        card={"<b>": 1}, statistics=statistics, **texts,
    )  # fmt: skip


def test_bars_are_as_high_as_norms_and_nothing_is_markup():
    many = [SiteStatistics(Site(layer), float(layer + 1)) for layer in range(80)]
    text = page(info(*many))
    heights = [float(h) for h in re.findall(r'height="([\d.]+)" class="bar"', text)]
    assert heights == pytest.approx([180 * (layer + 1) / 80 for layer in range(80)], abs=0.01)
    assert "<script>" not in text and "&lt;script&gt;" in text and "<b>" not in text
    assert page(info(SiteStatistics(Site(3, Point.ATTN_OUT), 1.0, 0.5))).count("50.0%") == 2


def test_bars_of_the_terminal():
    assert [bar(x, 8, 8) for x in (8, 4, 0.5, 0)] == ["█" * 8, "█" * 4, "▌", ""]
    assert bar(0, 0) == ""


# ---- in and out ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gguf", "saelens", "gemma-scope", "reft", "torch", "svec"])
def test_what_was_understood_is_said_before_it_is_stored(run, store, tmp_path, name):
    make, options = VALID[name]
    folder = write(tmp_path, make())
    told = ["--choice", options.choice] if options.choice else []
    said = run("import", folder, "--model", "org/m", *told, "--dry-run").stdout
    for what in ("format: ", "holds: ", "width", "sites: ", "layers: ", "norms: "):
        assert what in said
    assert own(store) == []
    stored = run("import", folder, "--as", "x", "--model", "org/m", *told).stdout
    assert stored.startswith(said.rstrip("\n"))
    assert stored.splitlines()[-2].startswith("stored x@1 (")
    assert stored.splitlines()[-1] == store.resolve("x").address
    assert store.resolve("x").card.model == "org/m"


def test_import_as_json_and_with_options(run, store, tmp_path):
    file = tmp_path / "v.gguf"
    file.write_bytes(fixture("repeng")["vector.gguf"])
    arguments = ("import", file, "--model", "m", "--index-offset", "-1", "--strength", "2",
                 "--licence", "MIT", "--description", "calm", "--json")  # fmt: skip
    dry = plain(run(*arguments, "--dry-run"))
    assert dry["vector"] is None and dry["account"]["sites"][0]["layer"] == 0
    assert own(store) == []
    done = plain(run(*arguments, "--as", "x"))
    assert done["account"] == dry["account"]
    assert done["vector"]["card"]["defaults"]["strength"]["value"] == 2
    assert (done["vector"]["licence"], done["vector"]["description"]) == ("MIT", "calm")
    for wrong, says in (
        ((), "--as NAME"),
        (("--as", "../x"), "not a vector name"),
        (("--as", "x", "--k", "3"), "options.k"),
        (("--as", "x", "--format", "onnx"), "options.format"),
    ):
        assert says in run("import", file, "--model", "m", *wrong, code=2).stderr
    assert "no such file" in run("import", tmp_path / "none", "--as", "y", code=2).stderr
    assert [version.number for version in store.versions("x")] == [1]


def test_for_the_served_model_it_has_to_fit(run, store, tmp_path):
    file = tmp_path / "v.gguf"
    file.write_bytes(fixture("repeng")["vector.gguf"])
    error = run("import", file, "--as", "x", code=2).stderr
    assert "card.d_model" in error and "width" in error
    assert own(store) == []


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def links(folder: Path) -> None:
    write(folder, fixture("saelens/gated"))
    (folder / "more").symlink_to("/etc")
    (folder / "cfg.json").rename(folder / "other")
    (folder / "cfg.json").symlink_to("other")


BAD = {
    "links": (links, ("files[more]: is a link", "files[cfg.json]: is a link")),
    "traversal": (
        lambda f: write(f, {"layer_1/params.npz": zipped(("../../W_enc.npy", b"x"))}),
        ("files[layer_1/params.npz]", "is not a plain relative path"),
    ),
    "bomb": (
        lambda f: write(f, {"layer_1/params.npz": zipped(("W_enc.npy", bytes(60 << 20)))}),
        ("files[layer_1/params.npz]",),
    ),
    "another archive": (
        lambda f: write(f, {"v.zip": zipped(("v.gguf", b"x"))}),
        ("UNKNOWN_FORMAT",),
    ),
    "deep": (lambda f: write(f, {"/".join("abcdefghi") + "/v.gguf": b"x"}), ("folders deep",)),
    "empty": (lambda f: None, ("files: are none",)),
    "not finite": (
        lambda f: write(f, {"v.pt": torch_bytes(__import__("torch").full((3, 8), float("nan")))}),
        ("NOT_FINITE",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_folders_that_are_refused_leave_nothing(run, store, tmp_path, what):
    make, says = BAD[what]
    make(tmp_path)
    error = run("import", tmp_path, "--as", "x", "--model", "m", code=2).stderr
    for words in says:
        assert words in error
    assert own(store) == [] and store.verify().leftovers == ()


@pytest.mark.parametrize(
    ("ending", "format"), [(".gguf", ""), (".safetensors", ""), ("", ""), (".v.gguf", "gguf")]
)
def test_export_by_the_ending_or_by_name(run, store, tmp_path, ending, format):
    told = ["--format", format] if format else []
    path = tmp_path / f"out{ending}"
    written = run("export", "a1-rloo", path, *told).stdout.split()
    whole = [path / "card.json", path / "vector.safetensors"]
    assert written == [str(p) for p in ([path] if path.is_file() else whole)]
    run("import", path, "--as", "again")
    again = store.get("again")
    assert again.content_hash == Store("vectors").get("a1-rloo").content_hash
    assert "is there already" in run("export", "a1-rloo", path, code=2).stderr


def test_export_of_a_dictionary_and_what_is_not_in_the_files(run, store, tmp_path):
    store.add(items.dictionary(name="d"))
    done = plain(run("export", "d", tmp_path / "d", "--format", "saelens", "--json"))
    names = {"cfg.json", "sae_weights.safetensors"}
    assert names <= {Path(path).name for path in done["paths"]}
    strong = replace(items.CARD, sites=(Site(2),), strength=Strength(3.0))
    store.add(Vector("v", {Site(2): normal(items.D)}, strong))
    assert run("export", "v", tmp_path / "v.gguf").stderr.startswith("not in it: ")
    assert "format" in run("export", "d", tmp_path / "d.gguf", code=2).stderr
    assert "no vector" in run("export", "w", tmp_path / "w", code=2).stderr
    (tmp_path / "file").write_text("")
    assert "Not a directory" in run("export", "d", tmp_path / "file/d", code=2).stderr


# ---- changing ------------------------------------------------------------------------------------


def test_combine(run, store):
    done = run("combine", "mix", "a1-rloo - 0.5*a1-dom", "--description", "less").stdout
    assert done.splitlines() == [
        "stored mix@1 (direction at resid_post.2)",
        store.resolve("mix").address,
    ]
    own = Store("vectors")
    wanted = own.get("a1-rloo").tensors[Site(2)] - 0.5 * own.get("a1-dom").tensors[Site(2)]
    assert np.allclose(store.get("mix").tensors[Site(2)], wanted)
    said = plain(run("combine", "mix", "mean(a1-rloo, a1-dom)", "--json"))
    assert set(said["card"]["method"]["parameters"]["parents"]) == {"a1-rloo", "a1-dom"}
    assert said["version"] == 2
    assert "expression" in run("combine", "mix", "a1-rloo +", code=2).stderr


def test_rm_says_what_is_gone_and_what_is_kept(run, store):
    added = [store.add(items.vector("v", seed)) for seed in range(3)]
    store.add(items.vector("w"))
    store.refer("v@2", "run-1")
    assert run("rm", "v@1").stdout == "deleted v@1\n"
    done = run("rm", "v", "x", "w", code=2)
    assert done.stdout.splitlines() == ["deleted v@3", f"kept as {added[1].address}, for run-1"]
    assert "no vector named 'x'" in done.stderr
    (said,) = plain(run("rm", "w", "--json"))
    assert said == {"removed": ["w@1"], "kept": {}}
    assert "shipped with the server" in run("rm", "a1-dom", code=2).stderr
    store.release(added[1].address, "run-1")


def test_verify_names_what_is_damaged(run, store):
    store.add(items.vector("v"))
    assert "0 damaged" in run("verify").stdout
    (file,) = Path(store.root, "v").glob("*.safetensors")
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"?")
    (file.parent / f"{'0' * 64}.safetensors").write_bytes(normal(3).tobytes())
    shown = run("verify", code=1).stdout
    assert "1 damaged" in shown and re.search(r"^v@1\s+.*sha256", shown, re.MULTILINE)
    assert f"left over by an interrupted write: v/{'0' * 64}" in shown
    said = plain(run("verify", "--json", code=1))
    assert [one["where"] for one in said["damage"]] == ["v@1"]
    file.write_bytes(data)
    assert plain(run("verify", "--json"))["damage"] == []


def test_confirming(store, served, run, tmp_path, monkeypatch):
    file = tmp_path / "v.gguf"
    file.write_bytes(fixture("repeng")["vector.gguf"])
    monkeypatch.setattr("steer.cli.vector_files._sits_there", lambda: True)
    arguments = ("import", file, "--as", "x", "--model", "m")
    assert "Store it as x?" in run(*arguments, code=1, said="n\n").output
    assert own(store) == []
    run(*arguments, said="y\n")
    run(*arguments, "--yes")
    assert [version.number for version in store.versions("x")] == [1]
