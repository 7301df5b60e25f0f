"""How long it takes to list many stored vectors, and to find one of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import steer
from bench.ratios import Ratio
from bench.served import serving
from steer.client import vector_calls
from steer.store import Card, Store, Vector
from steer.types import Site

TIMES = 300


def listing(folder: Path, count: int) -> dict[str, float]:
    """Milliseconds of a call: the first page of a store nobody has listed before; pages of 100,
    from the first that a server is asked for on; the first page behind each of some uploads;
    finding one of many by its name, and one of very few."""
    fill(folder / "store", count)
    with _client(folder) as client:
        (ever,) = paging(client, 1)
    with _client(folder) as client:
        pages = list(paging(client, TIMES))
        after = [_behind_an_upload(client, number) for number in range(TIMES // 10)]
        many = [timed(lambda: client.vectors.get(f"v{count // 2:05}")) for _ in range(TIMES)]
        few = [timed(lambda: client.vectors.get("a1-dom")) for _ in range(TIMES)]
    found = {"page": pages, "page behind an upload": after, "get": many, "get of a shipped": few}
    ratios = {name: Ratio.of([1e3 * one for one in times]) for name, times in found.items()}
    firsts = {"first page ever": ever, "first page of a server": pages[0]}
    return {name: round(1e3 * seconds, 1) for name, seconds in firsts.items()} | {
        f"{name}, {which}": round(value, 1)
        for name, ratio in ratios.items()
        for which, value in (("median", ratio.median), ("most", ratio.max))
    }


@contextmanager
def _client(folder: Path) -> Iterator[steer.Client]:
    with (
        serving(model="organism/a1", store=folder / "store") as server,
        steer.Client(server.address, timeout=600) as client,
    ):
        yield client


def fill(root: Path, count: int) -> None:
    """Many vectors as another program would write them: each the same, in a folder of its own."""
    card = Card("m", "sha256:f", 8, (Site(0),), "made")
    made = Store(root / ".made").add(Vector("v", {Site(0): np.ones(8, "f4")}, card))
    data = (root / ".made/v" / made.tensors).read_bytes()
    text = (root / ".made/v/card.json").read_text()
    for number in range(count):
        folder = root / f"v{number:05}"
        folder.mkdir()
        (folder / made.tensors).write_bytes(data)
        (folder / "card.json").write_text(text)


def paging(client: steer.Client, times: int) -> Iterator[float]:
    """Seconds of each page, to the last and from the first again."""
    token = ""
    for _ in range(times):
        began = time.perf_counter()
        _, token = client._unary(vector_calls.page(token, "", "", ""), None)
        yield time.perf_counter() - began


def _behind_an_upload(client: steer.Client, number: int) -> float:
    card = {"model": {"id": "m", "fingerprint": "f"}}
    client.vectors.upload("new", {0: np.full(8, number + 1.0)}, card=card)
    return next(paging(client, 1))


def timed(call: Callable[[], object]) -> float:
    """Seconds it takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
