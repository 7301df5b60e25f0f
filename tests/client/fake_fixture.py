import tempfile

import fake_server
import pytest


@pytest.fixture
def fake():
    # Paths of Unix sockets are short; pytest's own folders can be too long.
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        running, server = fake_server.start(folder)
        yield running
        server.stop(None).wait()
