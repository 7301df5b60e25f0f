"""A server in a process of its own, and how much memory it takes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import steer


@dataclass(frozen=True)
class Served:
    """A running server: its address, and the id of its process."""

    address: str
    pid: int

    def resident(self) -> int:
        """Resident memory now, in bytes, files that are mapped included (Linux)."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most since ``forget_peak``."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak be what it is now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(text.partition(f"{field}:")[2].split()[0])


@contextmanager
def serving(**options: object) -> Iterator[Served]:
    """A server with these options of ``steer serve`` until the block is left."""
    with TemporaryDirectory(prefix="steer-") as folder:
        address = f"unix:{folder}/bench.sock"
        command = [sys.executable, "-m", "steer", "serve", "--address", address]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait(address, process)
            yield Served(address, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    with steer.Client(address) as client:
        while process.poll() is None:
            try:
                if client.health():
                    return
            except steer.SteerError:
                pass
            time.sleep(0.2)
    raise RuntimeError("the server did not start")
