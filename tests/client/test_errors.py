"""Every status a server can send becomes the right exception, with all it carries."""

import time

import pytest

import steer
from steer.client.async_client import AsyncClient
from steer.client.client import Client
from steer.errors import BY_CODE, SteerError


@pytest.fixture
def client(fake):
    with Client(fake.target, timeout=5) as running:
        yield running


@pytest.mark.parametrize("kind", [k for k in BY_CODE.values() if k is not steer.Unavailable])
def test_every_kind(fake, client, kind):
    fake.errors = [kind("why", reason="BECAUSE" if kind is not steer.Overloaded else None)] * 10
    with pytest.raises(kind, match="why") as caught:
        client.model(timeout=0.4)
    assert type(caught.value) is kind
    assert caught.value.reason in ("BECAUSE", "QUEUE_FULL")
    assert caught.value.request_id == "req-1"


def test_violations_of_a_refused_trial(client):
    with pytest.raises(steer.InvalidRequest) as caught:
        client.compare("hi", temperature=-1, top_p=0, samples=0)
    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["trial.sampling.temperature", "trial.sampling.top_p", "trial.samples"]
    assert caught.value.reason == "OUT_OF_RANGE"


async def test_violations_come_through_streams_too(fake, client):
    with pytest.raises(steer.InvalidRequest, match="temperature"):
        client.stream("hi", temperature=-1).result()
    async with AsyncClient(fake.target) as asynchronous:
        with pytest.raises(steer.InvalidRequest) as caught:
            await asynchronous.stream("hi", temperature=-1).result()
        assert caught.value.violations[0].field == "trial.sampling.temperature"
        with pytest.raises(steer.InvalidRequest, match="temperature"):
            await asynchronous.compare("hi", temperature=-1)


def full(after):
    return steer.Overloaded("the queue is full", retry_after=after)


async def test_a_full_queue_is_tried_again(fake, client):
    fake.errors = [full(0.05), full(0.05)]
    began = time.monotonic()
    assert client.compare("hi").baseline.text
    assert time.monotonic() - began >= 0.1
    fake.errors = [full(0.05)]
    async with AsyncClient(fake.target) as asynchronous:
        assert (await asynchronous.compare("hi")).baseline.text
    assert len(fake.metadata) == 5


def test_a_full_queue_is_not_waited_for_beyond_the_timeout(fake, client):
    fake.errors = [full(0.9)] * 9
    with pytest.raises(steer.Overloaded) as caught:
        client.compare("hi", timeout=0.5)
    assert caught.value.retry_after == pytest.approx(0.9)
    assert len(fake.metadata) == 1


def test_a_full_queue_is_not_tried_for_ever(fake, client):
    fake.errors = [full(0.001)] * 99
    with pytest.raises(steer.Overloaded):
        client.compare("hi")
    assert len(fake.metadata) == 6


def test_unavailable_is_retried_by_the_channel(fake, client):
    fake.errors = [steer.Unavailable("loading")] * 2
    assert client.model().layers == 4


def test_too_large_for_grpc_itself(client):
    with pytest.raises(steer.TooLarge, match="larger than max"):
        client.compare("x" * 200_000)


def test_too_large_for_the_server(fake, client):
    fake.errors = [steer.TooLarge("never fits")]
    with pytest.raises(steer.TooLarge, match="never fits"):
        client.compare("hi")


def test_nobody_there():
    with Client("unix:/nonexistent.sock") as client, pytest.raises(steer.Unavailable):
        client.model(timeout=3)


def test_all_are_steer_errors():
    assert all(issubclass(kind, SteerError) for kind in BY_CODE.values())
