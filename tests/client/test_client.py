"""Both clients against one server, over real channels."""

import asyncio
import inspect
import threading
import time

import numpy as np
import pytest

import steer
from steer.client.async_client import AsyncClient
from steer.client.async_runs import AsyncRunHandle, AsyncRuns
from steer.client.async_vector_store import AsyncVectors
from steer.client.client import Client, Vectors
from steer.client.recipe_store import AsyncRecipes, Recipes
from steer.client.runs import RunHandle, Runs


@pytest.fixture
def client(fake):
    with Client(fake.target, token="secret", timeout=10) as running:
        yield running


def test_compare(fake, client):
    result = client.compare("hi", steer.add("x", strength=2), max_tokens=3, seed=7, stop="z")
    assert list(result.arms) == ["baseline", "steered"]
    assert result.baseline.text == "THINK <1> 2"
    assert result.steered.text == result["steered"].text == "THINK <b> 9"
    assert result.steered.token_ids == (0, 1, 2)
    assert result.steered.receipts[0].tokens == 3
    assert result.steered.finish_reason == "stop"
    assert result.measurements["steered"].mean_kl == pytest.approx(0.5)
    sampling = fake.trials[0].sampling
    assert (sampling.max_tokens, sampling.seed, sampling.stop) == (3, 7, ("z",))
    assert fake.metadata[0]["authorization"] == "Bearer secret"


def test_stream_gives_what_compare_gives(client):
    options = {"arms": {"a": steer.add("x"), "b": steer.ablate("y")}, "samples": 2}
    streamed = client.stream("hi", **options).result()
    assert streamed.to_dict() == client.compare("hi", **options).to_dict()
    assert [row.sample for row in streamed["b"].samples] == [0, 1]


def test_stream_events(client):
    kinds = [type(event).__name__ for event in client.stream("hi")]
    assert kinds == ["Started", "Chunk", "Chunk", "Chunk", "Finished", "tuple"]


@pytest.mark.parametrize("way", ["loop", "with", "close"])
def test_leaving_a_stream_cancels_it(fake, client, way):
    fake.endless = True
    stream = client.stream("hi")
    if way == "with":
        with stream:
            next(iter(stream))
    else:
        for event in stream:
            if isinstance(event, steer.Chunk):
                break
        if way == "close":
            stream.close()
            assert list(stream) == []
    assert fake.cancelled.wait(5)


@pytest.mark.parametrize("way", ["loop", "with", "close"])
async def test_leaving_an_async_stream_cancels_it(fake, way):
    fake.endless = True
    async with AsyncClient(fake.target) as client:
        stream = client.stream("hi")
        if way == "with":
            async with stream:
                await anext(aiter(stream))
        else:
            async for event in stream:
                if isinstance(event, steer.Chunk):
                    break
            if way == "close":
                await stream.close()
                assert [event async for event in stream] == []
        assert await asyncio.to_thread(fake.cancelled.wait, 5)


async def test_async_client(fake):
    async with AsyncClient(fake.target) as client:
        result = await client.compare("hi", steer.add("x"))
        assert result.to_dict() == (await client.stream("hi", steer.add("x")).result()).to_dict()
        assert (await client.model()).d_model == 8
        assert [v.name async for v in client.vectors.list()] == [f"v{i}" for i in range(6)]
        assert (await client.vectors.get("q")).card == {"hyper": {"lr": 0.5}}
        assert (await client.score("hi", "yo", steer.add("x")))["steered"].total == -1.5
        assert (await client.tokenize("a b")).pieces == ("a", "b")
        assert await client.health() is True


def test_an_async_client_may_be_made_outside_a_loop(fake):
    client = AsyncClient(fake.target)

    async def use():
        async with client:
            return await client.model()

    assert asyncio.run(use()).layers == 4


def test_the_other_methods(fake, client):
    assert client.model().id == "organism/fake"
    assert [v.name for v in client.vectors.list()] == [f"v{i}" for i in range(6)]
    assert client.vectors.get("q").card == {"hyper": {"lr": 0.5}}
    scores = client.score("hi", "yo", arms={"a": steer.add("x")})
    assert scores.baseline.total == -1.5
    assert scores.to_dict()["arms"]["a"]["total"] == -1.5
    assert client.tokenize("a b").token_ids == (0, 1)
    assert client.health() is True
    fake.serving = False
    assert client.health() is False


CLIENTS = [
    (Client, AsyncClient),
    (Vectors, AsyncVectors),
    (Recipes, AsyncRecipes),
    (Runs, AsyncRuns),
    (RunHandle, AsyncRunHandle),
]


@pytest.mark.parametrize(("one", "other"), CLIENTS)
def test_both_clients_have_the_same_signatures(one, other):
    def public(cls):
        members = inspect.getmembers(cls, inspect.isfunction)
        return {name: f for name, f in members if not name.startswith("_") or name == "__init__"}

    assert public(one).keys() == public(other).keys()
    for name, method in public(one).items():
        ours, theirs = inspect.signature(method), inspect.signature(public(other)[name])
        if name != "__init__" or one is Client:
            assert ours.parameters == theirs.parameters, name
        assert inspect.getdoc(method) == inspect.getdoc(public(other)[name])


def test_unknown_options_are_a_type_error(client):
    with pytest.raises(TypeError, match=r"unknown option 'max_new_tokens'; have .*max_tokens"):
        client.compare("hi", max_new_tokens=1)
    with pytest.raises(TypeError, match=r"unknown option 'chat'; have .*messages"):
        client.stream("hi", chat=True)
    with pytest.raises(TypeError, match="unknown option 'samples'; have arms"):
        client.score("hi", "yo", samples=2)
    with pytest.raises(TypeError, match=r"unknown option 'points'; have .*point"):
        client.capture("hi", layers=1, points="attn_out")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: {"prompt": ["a", "b"]}, "one prompt.*make a call of each"),
        (lambda: {"prompt": "a", "intervention": steer.add("x", layer=-1)}, "layer -1: .* first"),
        (
            lambda: {"prompt": "a", "intervention": steer.add(np.zeros((3, 4)), layer=1)},
            r"or \{layer: array\}, not this ndarray of shape \(3, 4\)",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_caller(client, ask, says):
    with pytest.raises(steer.InvalidRequest, match=says):
        client.compare(**ask())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"prompt": "a", "token_ids": [1]},
        {"messages": [{"role": "user", "text": "a"}]},
        {"token_ids": [-1]},
        {"prompt": "a", "temperature": "hot"},
        {"prompt": "a", "intervention": "x"},
        {"prompt": "a", "intervention": "calm"},
        {"prompt": "a", "intervention": steer.add("x"), "arms": {"steered": steer.add("y")}},
    ],
)
def test_what_can_not_be_sent_is_invalid_at_once(fake, client, arguments):
    with pytest.raises(steer.InvalidRequest):
        client.compare(**arguments)
    assert not fake.metadata


def test_prompts_in_every_form(fake, client):
    client.compare(messages=[{"role": "user", "content": "a"}])
    client.compare([{"role": "user", "content": "a"}])
    client.compare(token_ids=[1, 2])
    chat, same, ids = (trial.prompt for trial in fake.trials)
    assert chat == same
    assert chat.messages[0].content == "a"
    assert ids.token_ids == (1, 2)


def test_stored_recipes_are_named_in_an_arm(fake, client):
    client.compare("a", arms={"calm": steer.arm(steer.add("x"), stored="calm")})
    (arm,) = fake.trials[0].arms
    assert arm.recipes == ("calm",)
    assert len(arm.interventions) == 1


def test_recipes(fake, client):
    recipe = steer.add("x", strength=2)
    put = client.recipes.put("calm", recipe, description="soothes")
    assert put == client.recipes.get("calm")
    assert (put.name, put.description, put.content_hash) == ("calm", "soothes", "sha256:0")
    assert put.interventions == recipe.interventions
    assert client.recipes.put("again", put).description == "soothes"
    assert client.recipes.put("third", [recipe, steer.ablate("y")]).description == ""
    assert [one.name for one in client.recipes.list()] == ["again", "calm", "third"]
    client.recipes.delete("again")
    assert sorted(fake.recipes) == ["calm", "third"]
    with pytest.raises(steer.NotFound):
        client.recipes.get("again")
    with pytest.raises(steer.InvalidRequest):
        client.recipes.put("x", [])


async def test_async_recipes(fake):
    async with AsyncClient(fake.target) as client:
        for name in ("a", "b", "c"):
            await client.recipes.put(name, steer.add("x"))
        await client.recipes.delete("b")
        assert [one.name async for one in client.recipes.list()] == ["a", "c"]
        assert (await client.recipes.get("c")).interventions == steer.add("x").interventions


def test_target_and_token_from_the_environment(fake, monkeypatch):
    monkeypatch.setenv("STEER_TARGET", fake.target)
    monkeypatch.setenv("STEER_TOKEN", "env")
    with Client() as client:
        client.model()
    assert fake.metadata[0]["authorization"] == "Bearer env"


def test_many_threads_share_a_client(client):
    texts = []
    threads = [
        threading.Thread(target=lambda: texts.append(client.compare("hi").baseline.text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["THINK <1> 2"] * 8


def test_a_deadline_passes(fake, client):
    fake.endless = True
    began = time.monotonic()
    with pytest.raises(steer.DeadlineExceeded):
        client.stream("hi", timeout=0.2).result()
    assert time.monotonic() - began < 5
