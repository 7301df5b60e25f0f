"""A PostgreSQL server of one's own, from Debian's packages, gone at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

REQUIRED = "STEER_TEST_POSTGRES"
"""Set in CI: tests fail where no server is installed, instead of being skipped."""
_numbers = count()


class Cluster:
    """A running server, on a socket in ``folder``."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self._tools = folder, tools
        # PostgreSQL refuses to run as root.
        self._user = next(name for name in ("postgres", "nobody") if _exists(name))
        if os.geteuid() == 0:
            shutil.chown(folder, self._user)

    def tool(self, name: str, *arguments: str) -> None:
        user = {"user": self._user} if os.geteuid() == 0 else {}
        command = [str(self._tools / name), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **user
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        # With its output in a file: pg_ctl would hand our pipe on to the server.
        self.tool("pg_ctl", "start", "-w", "-D", self.data, "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self.tool("pg_ctl", "stop", "-w", "-D", self.data, "-m", mode)

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{next(_numbers)}"
        to = f"host={self.folder} user=steer dbname=postgres"
        with psycopg.connect(to, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://steer@/{name}?host={self.folder}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new server. Skips the test where none is installed."""
    tools = _tools()
    if tools is None:
        problem = "no PostgreSQL server is installed (apt-get install postgresql)"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(problem)
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        made = Cluster(Path(folder), tools)
        made.tool("initdb", "-D", made.data, "-U", "steer", "-A", "trust", "-E", "UTF8", "-N")
        made.start()
        try:
            yield made
        finally:
            made.stop("immediate")


def _tools() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = shutil.which("initdb")
    places = [*debian, *([Path(found)] if found else [])]
    return places[0].parent if places else None


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
        return True
    except KeyError:
        return False
