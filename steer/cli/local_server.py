"""A server of one's own: a subprocess on a Unix socket, gone at the end of the ``with``."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steer.client.client import Client
from steer.errors import SteerError, Unavailable

_START_SECONDS = 120.0
_STOP_SECONDS = 15.0


@contextmanager
def local_server(model: str, kept: bool = False) -> Iterator[str]:
    """The target of a new server once it serves. Its store, and the runs in it, are gone with it,
    unless they are to be ``kept``: then they are the user's.

    Raises Unavailable when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="steer-") as folder:
        target, log = f"unix:{folder}/steer.sock", Path(folder, "log")
        command = [sys.executable, "-m", "steer", "serve", "--model", model, "--address", target]
        command += [] if kept else ["--store", f"{folder}/store"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait(process, target, log)
            yield target
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], target: str, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _serves(target):
        if process.poll() is not None or time.monotonic() > end:
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
            raise Unavailable(f"the server did not start:\n{tail}")
        time.sleep(0.1)


def _serves(target: str) -> bool:
    # A new connection each time: one that failed waits longer and longer before it tries again.
    with Client(target) as client:
        try:
            return client.health(timeout=1.0)
        except SteerError:
            return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
