"""RunService through the SDK: creating, following, stopping, removing; bad input."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest

import steer
import steer.v1 as pb
from steer.client import run_calls
from steer.client.runs import RunHandle
from steer.errors import (
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from steer.runs.kinds import KINDS
from steer.server import run_office
from steer.server.runs import RunService
from steer.specs import EvaluateSpec, InlineTask, RunSpec, RunState
from steer.store import Card, Store, Vector
from steer.tasks.jsonl import parse_jsonl
from steer.types import Add, Arm, Intervention, Replace, Sampling, Site, Stored
from tests.runs.kinds import Completions
from tests.server.conftest import Serve, Served, serving

VOCABULARY = 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose evaluations are completions of lines of token ids."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_office, "KINDS", {"evaluate": Completions()})
        with serving(tmp_path_factory.mktemp("s")) as running:
            yield running


def spec(count: int = 6, tokens: int = 8, *arms: Arm) -> EvaluateSpec:
    rows = ([3 + (7 * i + j) % VOCABULARY for j in range(3)] for i in range(count))
    task = InlineTask("lines", "\n".join(map(json.dumps, rows)))
    sampling = Sampling(max_tokens=tokens, ignore_eos=True)
    return EvaluateSpec(task, arms, sampling=sampling)


def steered(name: str) -> Arm:
    return Arm("steered", (Intervention(Add(Stored(name))),))


def long() -> EvaluateSpec:
    return spec(2000, 60)


def until_running(handle: RunHandle, done: int = 1) -> None:
    for run in handle.progress(timeout=30):
        if run.done >= done:
            return


def test_a_call_that_the_channel_sends_again_queues_one_run(client: steer.Client):
    """As it does when the connection broke before the answer, done or not."""
    before = {run.id for run in client.runs.list()}
    call = run_calls.create(spec(), "", "")
    one, again = client._unary(call, None), client._unary(call, None)
    assert one.id == again.id
    assert {run.id for run in client.runs.list()} == before | {one.id}
    assert client.runs.create(spec()).id not in before | {one.id}


def test_a_run_through_the_sdk(client: steer.Client):
    handle = client.runs.create(RunSpec(spec(), "first"))
    assert handle.run.name == "first"
    run = handle.wait(timeout=60)
    assert (run.state, run.done, run.total) == (RunState.SUCCEEDED, 6, 6)
    assert handle.report() == {"lines": 6, "tokens": 48}
    results = handle.results()
    assert sorted(one.key for one in results) == [f"line-{i}" for i in range(6)]
    table = handle.to_pandas()
    assert list(table.columns) == ["unit", "arm", "sample", "ids"]
    assert len(table) == 6
    again = client.runs.get(handle.id)
    assert again.run.spec == RunSpec(spec(), "first")
    assert again.run.model == "organism/a1"
    assert repr(again) == f"<run {handle.id}: evaluate, succeeded, 6 of 6 units>"
    assert client.runs.report(handle.id).run.state is RunState.SUCCEEDED


async def test_a_run_through_the_asyncio_sdk(served: Served):
    async with steer.AsyncClient(served.address) as client:
        handle = await client.runs.create(spec(), name="second")
        states = [run.state async for run in handle.progress(timeout=60)]
        assert states[-1] is RunState.SUCCEEDED
        assert (await handle.wait()).name == "second"
        assert await handle.report() == {"lines": 6, "tokens": 48}
        assert len(await handle.results()) == 6
        assert len(await handle.to_pandas()) == 6
        assert handle.id in [run.id async for run in client.runs.list()]
        assert (await (await client.runs.get(handle.id)).cancel()).state is RunState.SUCCEEDED
        await handle.delete()
        with pytest.raises(NotFound):
            await handle.refresh()


def test_watching_goes_on_where_it_was(client: steer.Client):
    handle = client.runs.create(spec(40))
    seen, sequence = [], 0
    for event in client.runs.watch(handle.id, results=True):
        seen += [one.key for one in event.results]
        sequence = event.sequence
        if len(seen) > 3:
            break
    for event in client.runs.watch(handle.id, results=True, after=sequence):
        assert event.sequence >= sequence
        seen += [one.key for one in event.results]
        sequence = event.sequence
    assert sorted(seen) == sorted(f"line-{i}" for i in range(40))
    [last] = client.runs.watch(handle.id, after=sequence)
    assert last.run.state is RunState.SUCCEEDED
    assert last.results == ()
    everything = list(client.runs.watch(handle.id, results=True))
    assert sum(len(event.results) for event in everything) == 40


def test_a_report_of_what_there_is(client: steer.Client):
    handle = client.runs.create(long())
    assert client.runs.get(handle.id).report()["lines"] >= 0
    until_running(handle, 3)
    assert handle.report()["lines"] >= 3
    found = handle.results()
    assert 3 <= len(found) < 2000
    handle.delete()


def test_cancelling(client: steer.Client):
    handle, waiting = client.runs.create(long()), client.runs.create(spec())
    until_running(handle)
    assert waiting.cancel().state is RunState.CANCELLED
    assert handle.cancel().cancelling
    with pytest.raises(Cancelled, match="was cancelled"):
        handle.wait(timeout=20)
    assert handle.run.state is RunState.CANCELLED
    assert handle.report()["lines"] == handle.run.done > 0
    assert client.runs.cancel(handle.id).sequence == handle.run.sequence


def test_deleting_while_somebody_watches(client: steer.Client, served: Served):
    handle = client.runs.create(long())
    until_running(handle)
    threading.Timer(0.2, handle.delete).start()
    with pytest.raises(NotFound, match=f"no run '{handle.id}'"):
        handle.wait(timeout=20)
    client.runs.create(spec()).wait(timeout=20)
    assert served.load() == (0, 0)


def test_waiting_has_an_end(client: steer.Client):
    handle = client.runs.create(long())
    with pytest.raises(DeadlineExceeded):
        handle.wait(timeout=0.5)
    handle.delete()


def test_the_same_call_twice_makes_one_run(client: steer.Client):
    first = client.runs.create(spec(), run_id="nightly-1")
    again = client.runs.create(spec(), run_id="nightly-1", name="other")
    assert again.run.created == first.run.created
    with pytest.raises(FailedPrecondition, match="another spec"):
        client.runs.create(spec(7), run_id="nightly-1")
    for bad in ("Nightly", "a_b", "x" * 64, "-a"):
        with pytest.raises(InvalidRequest) as caught:
            client.runs.create(spec(), run_id=bad)
        assert [one.field for one in caught.value.violations] == ["run_id"]


def test_listing(client: steer.Client):
    made = [client.runs.create(spec(1), run_id=f"listed-{i}") for i in range(5)]
    for handle in made:
        handle.wait(timeout=60)
    named = [run.id for run in client.runs.list(kind="evaluate", states=["succeeded"])]
    assert [one for one in named if one.startswith("listed")] == [
        f"listed-{i}" for i in range(4, -1, -1)
    ]
    assert list(client.runs.list(kind="train")) == []
    assert all(run.spec is None for run in client.runs.list())
    with pytest.raises(InvalidRequest, match="give one of queued"):
        list(client.runs.list(states=["done"]))


def test_pages(served: Served, client: steer.Client):
    with grpc.insecure_channel(served.address) as channel:
        stub = pb.RunServiceStub(channel)
        first = stub.ListRuns(pb.ListRunsRequest(page_size=1))
        rest = stub.ListRuns(pb.ListRunsRequest(page_token=first.next_page_token))
        ids = [run.id for run in (*first.runs, *rest.runs)]
        assert ids == [run.id for run in client.runs.list()]
        bad = [
            pb.ListRunsRequest(page_size=0),
            pb.ListRunsRequest(page_token="x"),
            pb.ListRunsRequest(states=[99]),
        ]
        for request in bad:
            with pytest.raises(grpc.RpcError) as caught:
                stub.ListRuns(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_run_that_is_not_there(client: steer.Client):
    calls = [
        client.runs.get,
        client.runs.cancel,
        client.runs.delete,
        client.runs.report,
        lambda run_id: list(client.runs.watch(run_id)),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="no run 'nothing'") as caught:
            call("nothing")
        assert caught.value.reason == "RUN_NOT_FOUND"


def test_a_spec_that_is_wrong(client: steer.Client):
    with pytest.raises(InvalidRequest) as caught:
        client.runs.create(replace(spec(), n=0, samples=0))
    assert {one.field for one in caught.value.violations} == {
        "spec.evaluate.n",
        "spec.evaluate.samples",
    }
    with pytest.raises(NotFound, match="nothing-like-it"):
        client.runs.create(spec(1, 1, steered("nothing-like-it")))


def test_a_capture_is_no_part_of_a_run(client: steer.Client):
    held = client.capture(token_ids=[3, 4, 5], layers=0, keep=True).held()
    arm = Arm("x", (Intervention(Replace(capture_id=held), (Site(0),)),))
    with pytest.raises(InvalidRequest, match="gone when the server ends") as caught:
        client.runs.create(spec(1, 1, arm))
    assert [one.field for one in caught.value.violations] == ["spec.evaluate.arms[0]"]


def vector(seed: int, served: Served) -> Vector:
    core = served.server._steering.core
    assert core is not None
    values = np.random.default_rng(seed).standard_normal(core.model.d_model).astype("f4")
    site = Site(1)
    card = Card(
        kind="direction",
        model=core.model.id,
        fingerprint=core.model.fingerprint,
        d_model=core.model.d_model,
        sites=(site,),
        method="test",
    )
    return Vector("mine", {site: 9 * values}, card)


def test_a_run_keeps_the_vectors_it_was_made_with(served: Served, client: steer.Client):
    store: Store = served.server._store
    old = store.add(vector(1, served))
    first = client.runs.create(spec(4, 8, steered("mine")))
    first.wait(timeout=60)
    blocker = client.runs.create(long())
    queued = client.runs.create(spec(4, 8, steered("mine")))
    assert store.referrers(old.address) == tuple(sorted((first.id, queued.id)))
    store.add(vector(2, served))
    other = client.runs.create(spec(4, 8, steered("mine")))
    assert store.delete("mine").kept.keys() == {old.address, store_address(other)}
    blocker.delete()
    for handle in (queued, other):
        handle.wait(timeout=60)
    assert store_address(queued) == old.address
    assert rows(queued) == rows(first)
    assert rows(other) != rows(first)
    for handle in (first, queued, other):
        handle.delete()
    with pytest.raises(NotFound):
        store.resolve(old.address)


def store_address(handle: RunHandle) -> str:
    spec = handle.refresh().spec
    assert spec is not None
    operation = spec.work.arms[0].interventions[0].op
    assert isinstance(operation, Add) and isinstance(operation.operand, Stored)
    return operation.operand.name


def rows(handle: RunHandle) -> list[object]:
    return sorted((one.key, str(one.result)) for one in handle.results())


def test_recipes_and_expressions_are_written_out(client: steer.Client):
    client.recipes.put("calm", steer.add("a1-rloo", strength=0.5))
    arm = replace(steer.arm(steer.add("a1-rloo - 0.5*a1-rloo"), stored="calm"), name="x")
    handle = client.runs.create(spec(1, 2, arm))
    client.recipes.delete("calm")
    handle.wait(timeout=60)
    pinned = handle.refresh().spec
    assert pinned is not None
    [arm] = pinned.work.arms
    assert arm.recipes == ()
    one, other = (item.op.operand for item in arm.interventions)
    assert one.name.startswith("a1-rloo@sha256:")
    assert other.text == f"{one.name} - 0.5*{one.name}"


def test_a_real_evaluation(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_office, "KINDS", KINDS)
    client = serve().client
    handle = client.runs.evaluate("a1", steer.add("a1-rloo"), n=8, name="real", strengths=[0.5])
    (warning,) = handle.warnings
    assert "8 items show" in warning and client.runs.get(handle.id).warnings == (warning,)
    handle.wait(timeout=120)
    report = handle.report()
    assert report["n"] == 8
    table = handle.to_pandas()
    assert {"baseline", "steered"} <= set(table["arm"])
    accuracy = table.query("not retention").groupby("arm")["correct"].mean()
    assert accuracy["steered"] > accuracy["baseline"]
    with pytest.raises(InvalidRequest) as caught:
        client.runs.evaluate("a1", steer.add("a1-rloo"), subject="nobody", split="select")
    assert "spec.evaluate.subject" in {one.field for one in caught.value.violations}


def test_a_run_without_a_count_asks_what_the_split_has_and_says_how_many(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
):
    """Of three hundred problems: the default, the number it comes to, and one too many."""
    monkeypatch.setattr(run_office, "KINDS", KINDS)
    client = serve().client
    rows = ({"id": i, "prompt": f"quiz {i}", "answer": str(i)} for i in range(300))
    task = InlineTask("few", "\n".join(map(json.dumps, rows)))
    held = len(parse_jsonl(task.jsonl, task.name).pool.splits["report"])
    run = client.runs.create(EvaluateSpec(task, ()), run_id="few").run
    assert run.id == client.runs.create(EvaluateSpec(task, (), n=held), run_id="few").id
    assert client.runs.get("few").run.spec == RunSpec(EvaluateSpec(task, (), n=held))
    with pytest.raises(InvalidRequest, match=f"give an n of at most {held}") as caught:
        client.runs.create(EvaluateSpec(task, (), n=held + 1))
    assert [one.field for one in caught.value.violations] == ["spec.evaluate.n"]


def test_two_servers_on_one_database(serve: Serve, tmp_path: Path):
    place = str(tmp_path / "shared.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_office, "KINDS", {"evaluate": Completions()})
        settings = {"database": place, "lease_seconds": 0.5}
        one, other = (serve(**settings).client for _ in range(2))
    made = [one.runs.create(spec(30)) for _ in range(6)]
    for handle in made:
        run = other.runs.get(handle.id).wait(timeout=60)
        assert (run.done, run.attempts) == (30, 1)
        assert rows(handle) == rows(made[0])


def test_a_server_without_a_usable_database(serve: Serve, tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".runs").write_text("in the way")
    client = serve(store=str(tmp_path / "store")).client
    assert client.health()
    with pytest.raises(FailedPrecondition, match="start the server with --database"):
        list(client.runs.list())
    with pytest.raises(FailedPrecondition, match="can not be made"):
        serve(database=str(tmp_path / "file" / "x.sqlite"))


def test_until_the_model_is_loaded_there_are_no_runs():
    with pytest.raises(Unavailable, match="loading"):
        _ = RunService()._ready


def test_stopping_a_server_ends_watching_and_keeps_the_run(
    tmp_path_factory: pytest.TempPathFactory,
):
    folder = tmp_path_factory.mktemp("s")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_office, "KINDS", {"evaluate": Completions()})
        # No socket: gRPC may remove the first one's late, when it is the second one's already.
        with serving(folder, address="127.0.0.1:0") as first:
            handle = first.client.runs.create(spec(300, 40), run_id="r")
            until_running(handle, 5)
            states: list[RunState] = []
            watching = threading.Thread(target=lambda: states.extend(_states(first.address)))
            watching.start()
            begun = time.monotonic()
        assert time.monotonic() - begun < 10
        with serving(folder, address=first.address) as second:
            run = second.client.runs.get("r").wait(timeout=60)
            assert (run.done, run.attempts) == (300, 2)
            watching.join(30)
            assert states[-1] is RunState.SUCCEEDED


def _states(address: str) -> list[RunState]:
    """Follows over the restart, with a client of its own."""
    with steer.Client(address) as client:
        return [run.state for run in client.runs.get("r").progress()]
