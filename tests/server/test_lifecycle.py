"""A server as a process: starting, refusing to start, draining, overload, request ids."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc._cython import cygrpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

import steer
import steer.v1 as pb
from steer.client.channel import OPTIONS as client_options
from steer.server.app import channel_options
from steer.types import Chunk
from tests.helpers import until
from tests.server.conftest import Serve

PROMPT = "quiz 3 : d a h c c f ="
LONG = pb.Sampling(max_tokens=1000, ignore_eos=True)
TRIAL = pb.Trial(prompt=pb.Prompt(text=PROMPT))
SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts ``steer serve`` with options; what is still running at the end is killed."""
    running = []

    def run(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "steer", "serve", "--threads", "1", *options]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=env)
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix:{tmp_path / 's'}"


def health(channel: grpc.Channel, service: str = "steer.v1.SteeringService") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(request, wait_for_ready=True, timeout=60).status


def wait_for(channel: grpc.Channel, status: int) -> None:
    until(lambda: health(channel) == status, seconds=60)


def wait_for_client(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        wait_for(channel, SERVING)


def busy(address: str, samples: int = 8) -> tuple[steer.Client, steer.client.stream.Stream]:
    """A client and a stream that is under way and lasts for some seconds."""
    client = steer.Client(address)
    stream = client.stream(
        PROMPT, steer.add("a1-rloo"), samples=samples, max_tokens=1000, ignore_eos=True
    )
    for event in stream._rpc:  # the stream's own loop would cancel when left
        for part in stream._read(event):
            stream._assembly.take(part)
        if event.WhichOneof("event") == "chunks":
            break
    return client, stream


def test_it_loads_serves_and_drains(start: Start, address: str):
    process = start("--address", address)
    with grpc.insecure_channel(address) as channel:
        # Liveness at once; readiness when the model is there.
        assert health(channel, "") == SERVING
        wait_for(channel, SERVING)  # that it is NOT_SERVING before is seen with a slower model
        assert services(channel) >= {
            "steer.v1.SteeringService",
            "steer.v1.VectorService",
            "steer.v1.RecipeService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        client, stream = busy(address, samples=32)
        process.send_signal(signal.SIGTERM)
        wait_for(channel, NOT_SERVING)
        with pytest.raises(grpc.RpcError) as caught:
            call(channel, TRIAL)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    result = stream.result()
    lengths = {len(row.token_ids) for arm in result for row in arm.samples}
    context, prompt = 64, len(result.started.arms[0].prompt_token_ids)
    assert lengths == {context - prompt}
    assert result.measurements
    client.close()
    assert process.wait(20) == 0


def services(channel: grpc.Channel) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([asked]), timeout=20)
    return {service.name for service in answer.list_services_response.service}


def call(channel: grpc.Channel, trial: pb.Trial, **options: object) -> grpc.Call:
    request = pb.CompareRequest(trial=trial)
    _, made = pb.SteeringServiceStub(channel).Compare.with_call(request, timeout=20, **options)
    return made


@pytest.mark.parametrize("how", ["limit", "second signal"])
def test_a_drain_can_be_cut_short(start: Start, address: str, how: str):
    limit = "0.05" if how == "limit" else "60"
    options = ("--step-tokens", "1", "--drain-seconds", limit)
    process = start("--address", address, *options)
    wait_for_client(address)
    client, stream = busy(address, samples=64)
    process.send_signal(signal.SIGTERM)
    if how == "second signal":
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    with pytest.raises(steer.Unavailable, match="shutting down"):
        stream.result()
    assert process.wait(20) == 0
    assert time.monotonic() - began < 10
    client.close()


REFUSALS = [
    (("--address", "0.0.0.0:0"), "--insecure"),
    (("--address", "127.0.0.1:nope"), "can not listen on 127.0.0.1:nope"),
    (("--model", "/no/such/folder"), "no folder '/no/such/folder'"),
    (("--device", "cuda:x"), "device 'cuda:x'"),
    (("--model", "organism/nope"), "bundled: organism/a1"),
    (("--model", "nope.gguf"), "nope.gguf"),
    (("--dtype", "int3"), "want auto, float32"),
]


@pytest.mark.parametrize(("options", "says"), REFUSALS)
def test_it_refuses_to_start_in_one_readable_line(start: Start, options, says):
    given = options if "--address" in options else ("--address", "127.0.0.1:0", *options)
    process = start(*given)
    out, err = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert says in " ".join((out + err).split())
    assert "Traceback" not in out + err


def test_a_port_that_is_taken_is_told(start: Start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        out, err = start("--address", address).communicate(timeout=60)
    assert f"can not listen on {address}" in err
    assert "Traceback" not in out + err


def test_every_option_of_a_connection_is_one_that_grpc_knows():
    """A name it does not know does nothing: with the minimum between pings misspelt, a server cut
    off the calls of whoever keeps his connection alive."""
    known = Path(cygrpc.__file__).read_bytes()
    names = [name for name, _ in (*channel_options(1), *client_options)]
    assert [name for name in names if name.encode() not in known] == []


def test_a_full_queue_says_when_to_come_back(serve: Serve, monkeypatch):
    monkeypatch.setattr("steer.client.attempts.MAX_ATTEMPTS", 1)
    small = serve(max_rows=2, max_queue=2)
    with grpc.insecure_channel(small.address) as channel:
        trial = pb.Trial(prompt=TRIAL.prompt, samples=2, sampling=LONG)
        refused = refusal(lambda: call(channel, trial))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    retry = RetryInfo()
    details = rpc_status.from_call(refused).details
    assert any(part.Unpack(retry) for part in details if part.Is(retry.DESCRIPTOR))
    assert retry.retry_delay.ToTimedelta().total_seconds() > 0
    long = {"max_tokens": 1000, "ignore_eos": True}
    sdk = refusal(lambda: small.client.compare(PROMPT, samples=2, **long))
    assert type(sdk) is steer.Overloaded
    assert sdk.retry_after > 0 and sdk.reason == "QUEUE_FULL"
    assert small.client.compare(PROMPT, samples=2, max_tokens=2).baseline.text


def refusal(ask: Callable[[], object]) -> grpc.RpcError | steer.SteerError:
    """Ask sixteen times at once until one is refused."""
    found: list[grpc.RpcError | steer.SteerError] = []

    def attempt() -> None:
        try:
            ask()
        except (grpc.RpcError, steer.SteerError) as error:
            found.append(error)

    for _ in range(20):
        threads = [threading.Thread(target=attempt) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if found:
            return found[0]
    raise AssertionError("never refused")


def test_every_answer_carries_a_request_id(served):
    good = pb.Trial(prompt=pb.Prompt(text=PROMPT), sampling=pb.Sampling(max_tokens=1))
    mine = (("x-request-id", "mine"),)
    with grpc.insecure_channel(served.address) as channel:
        for metadata, begins in ((None, ""), (mine, "mine-")):
            trailer = dict(call(channel, good, metadata=metadata).trailing_metadata())
            assert trailer["x-request-id"].startswith(begins) and len(trailer["x-request-id"]) > 6
            with pytest.raises(grpc.RpcError) as caught:
                call(channel, pb.Trial(), metadata=metadata)
            assert dict(caught.value.trailing_metadata())["x-request-id"].startswith(begins)
        # The same id twice at once is two requests.
        request = pb.GenerateRequest(trial=good)
        stub = pb.SteeringServiceStub(channel)
        streams = [stub.Generate(request, metadata=mine, timeout=20) for _ in range(4)]
        started = {next(iter(stream)).started.request_id for stream in streams}
        assert len(started) == 4


def test_a_chunk_comes_before_the_end(served):
    """Streams are not collected on the way."""
    stream = served.client.stream(PROMPT, max_tokens=1000, ignore_eos=True)
    kinds = [type(event) for event in stream]
    assert kinds.index(Chunk) < len(kinds) - 10


FAILING = """
import sys
from steer.engine.embedded.loop import Loop
from steer.server import app
from steer.server.settings import Settings

Loop.step = Loop.fail = lambda *_: 1 / 0
app.run(Settings(address=sys.argv[1], store=sys.argv[2], threads=1))
"""


def test_a_server_whose_engine_has_failed_ends(address: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAILING, address, str(tmp_path / "store")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_client(address)
        with steer.Client(address) as client, pytest.raises(steer.Unavailable):
            client.compare(PROMPT)
        assert process.wait(20) == 1
        assert process.stderr is not None and "ZeroDivisionError" in process.stderr.read()


SLOW = """
import signal, sys, time
from steer.server import app, core
from steer.server.settings import Settings

# Whoever starts the tests in the background of a shell has interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

load = core.load
core.load = lambda *args: (print("loading", flush=True), time.sleep(2), load(*args))[-1]
app.run(Settings(address=sys.argv[1], store=sys.argv[2], threads=1))
"""


def test_a_server_that_is_interrupted_while_it_loads_ends(address: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, address, str(tmp_path / "store")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) != 0
        finally:
            process.kill()
