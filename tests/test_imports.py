"""``import steer`` is cheap, and every public name is there."""

import subprocess
import sys

import steer

HEAVY = {"torch", "numpy", "transformers", "grpc", "google.protobuf", "rich", "typer", "pandas"}


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    loaded = run("import steer, sys; print(*sys.modules)").split()
    assert not HEAVY.intersection(loaded)


def test_client_and_cli_load_no_server_packages() -> None:
    code = "import sys, steer.cli.main, steer.client.async_client; print(*sys.modules)"
    assert not {"torch", "numpy", "transformers"}.intersection(run(code).split())


def test_formats_load_no_torch() -> None:
    loaded = run("import sys, steer.formats; print(*sys.modules)").split()
    assert not {"torch", "transformers", "gguf"}.intersection(loaded)


def test_import_time() -> None:
    code = "import time; t = time.perf_counter(); import steer; print(time.perf_counter() - t)"
    # The best of three: other work on the machine is not what is measured.
    assert min(float(run(code)) for _ in range(3)) < 0.150


def test_every_public_name_can_be_imported() -> None:
    for name in steer.__all__:
        assert getattr(steer, name) is not None
    assert set(steer.__all__) <= set(dir(steer))


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(steer, "nonsense")
