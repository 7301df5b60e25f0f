"""A large dictionary goes through a real server, in a process of its own, in little memory."""

import sys

import pytest

from bench.large import memory

pytestmark = pytest.mark.slow
SIZE = 200_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says how much memory it is")
def test_a_server_grows_by_less_than_the_dictionarys_size(tmp_path):
    grown = memory(tmp_path, SIZE)
    assert max(grown.values()) < 1.2
    # Only who reads out all latents needs all of the encoder.
    assert grown["upload"] < 0.4 and grown["use"] < 0.4
