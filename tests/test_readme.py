"""The README's commands run as they stand there, against a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steer.cli.local_server import local_server

README = (Path(__file__).parents[1] / "README.md").read_text()
ADDRESS = "127.0.0.1:50051"
BLOCKS = re.findall(r"<!-- run -->\n```(bash|python)\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_server("organism/a1") as address:
        yield address


def test_there_is_something_to_run():
    assert {language for language, _ in BLOCKS} == {"bash", "python"}


@pytest.mark.parametrize(("language", "code"), BLOCKS)
def test_block_runs(language: str, code: str, address: str, tmp_path: Path):
    interpreter = [sys.executable, "-c"] if language == "python" else ["bash", "-euc"]
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "STEER_TARGET": address,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
    }
    command = [*interpreter, code.replace(ADDRESS, address)]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
