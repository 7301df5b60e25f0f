"""Stored recipes through a real server: kept, found again, refused when damaged."""

import json
import shutil

import grpc
import pytest

import steer
import steer.v1 as pb
from steer.store import bundled

RECIPE = steer.add("a1-rloo", strength=2, layer=1).where("decode", every=2) + steer.ablate("a1-dom")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def client(serve, store):
    return serve(store=store).client


def test_there_and_back(client):
    put = client.recipes.put("team/calm", RECIPE, description="ü")
    assert put.interventions == RECIPE.interventions
    assert put.content_hash.startswith("sha256:")
    assert client.recipes.get("team/calm") == put
    assert list(client.recipes.list()) == [put]
    client.recipes.put("team/calm", RECIPE.where("all"))
    again = client.recipes.get("team/calm")
    assert again.content_hash != put.content_hash
    assert client.recipes.put("x", put).content_hash == put.content_hash
    client.recipes.delete("x")
    with pytest.raises(steer.NotFound, match="stored: team/calm") as caught:
        client.recipes.get("x")
    assert [violation.field for violation in caught.value.violations] == ["name"]
    with pytest.raises(steer.NotFound):
        client.recipes.delete("x")


def test_recipes_are_files_that_outlive_the_server(serve, store):
    put = serve(store=store).client.recipes.put("calm", RECIPE)
    assert serve(store=store).client.recipes.get("calm") == put
    assert steer.Recipe.load(store / ".recipes/calm.json") == put
    by_hand = json.loads(RECIPE.to_json())
    (store / ".recipes/hand.json").write_text(json.dumps(by_hand, indent=7))
    hand = serve(store=store).client.recipes.get("hand")
    assert (hand.interventions, hand.content_hash) == (put.interventions, put.content_hash)


def test_pages(client, serve, store):
    names = [f"r{i}" for i in range(5)]
    for name in reversed(names):
        client.recipes.put(name, RECIPE)
    with grpc.insecure_channel(serve(store=store).address) as channel:
        stub = pb.RecipeServiceStub(channel)
        found, token = [], ""
        for size in (2, 2, 1):
            answer = stub.ListRecipes(pb.ListRecipesRequest(page_size=2, page_token=token))
            assert len(answer.recipes) == size
            found += [recipe.name for recipe in answer.recipes]
            token = answer.next_page_token
        assert (found, token) == (names, "")
        for size in (0, 1001):
            with pytest.raises(grpc.RpcError, match=r"page_size: is \d+; give 1 to 1000"):
                stub.ListRecipes(pb.ListRecipesRequest(page_size=size))
        with pytest.raises(grpc.RpcError, match=r"page_token: is '\.\./x', which is not one"):
            stub.ListRecipes(pb.ListRecipesRequest(page_token="../x"))


@pytest.mark.parametrize("name", ["", "..", "A", "a/b/c", "a.json"])
def test_bad_names_are_refused(client, name):
    with pytest.raises(steer.InvalidRequest) as caught:
        client.recipes.put(name, RECIPE)
    assert [violation.field for violation in caught.value.violations] == ["recipe.name"]
    for use in (client.recipes.get, client.recipes.delete):
        with pytest.raises(steer.InvalidRequest) as caught:
            use(name)
        assert [violation.field for violation in caught.value.violations] == ["name"]


def test_everything_wrong_with_a_recipe_is_told(serve, store):
    bad = pb.Intervention(low_rank=pb.LowRank(), strength=pb.Strength(value=float("nan")))
    with grpc.insecure_channel(serve(store=store).address) as channel:
        stub = pb.RecipeServiceStub(channel)
        request = pb.PutRecipeRequest(recipe=pb.Recipe(name="..", interventions=[bad]))
        with pytest.raises(grpc.RpcError) as caught:
            stub.PutRecipe(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    for field in ("name", "interventions[0].low_rank.vector", "interventions[0].strength.value"):
        assert f"recipe.{field}: " in caught.value.details()


def change_strength(text):
    return text.replace('"value": 2.0', '"value": 3.0')


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[:-10], "can not be read"),
        (lambda text: text.replace('"add"', '"subtract"'), r"interventions\[0\]\.subtract"),
        (change_strength, "content_hash"),
    ],
)
def test_damaged_files_are_refused_and_named(client, store, change, says):
    client.recipes.put("good", RECIPE)
    client.recipes.put("bad", RECIPE)
    file = store / ".recipes/bad.json"
    text = change(file.read_text())
    assert text != file.read_text()
    file.write_text(text)
    with pytest.raises(steer.FailedPrecondition, match=rf"\.recipes/bad\.json: .*{says}") as caught:
        client.recipes.get("bad")
    assert caught.value.reason == "RECIPE_DAMAGED"
    assert [one.name for one in client.recipes.list()] == ["good"]
    client.recipes.delete("bad")


def test_a_store_that_can_not_be_written_says_so(client, store):
    client.recipes.put("good", RECIPE)
    (store / ".recipes/blocked.json").mkdir()
    with pytest.raises(steer.FailedPrecondition, match="can not be stored") as caught:
        client.recipes.put("blocked", RECIPE)
    assert caught.value.reason == "STORE_NOT_WRITABLE"


PROMPT = "quiz 7 : h e h b b d ="


@pytest.fixture
def steering(serve, store):
    """A client of a server whose store has the bundled vectors."""
    shutil.copytree(bundled(), store)
    return serve(store=store).client


def test_an_arm_can_name_stored_recipes(steering):
    add, ablate = RECIPE.at(2), steer.ablate("a1-dom", layer=1)
    steering.recipes.put("one", add)
    steering.recipes.put("two", ablate)
    answer = steering.compare(
        PROMPT,
        arms={
            "sent": add + ablate + steer.rotate("a1-dom", 20, layer=2),
            "named": steer.arm(steer.rotate("a1-dom", 20, layer=2), stored=["one", "two"]),
        },
        noise_floor=True,
        max_tokens=8,
    )
    sent, named = answer["sent"], answer["named"]
    assert named.token_ids == sent.token_ids
    assert named.receipts == sent.receipts
    assert [receipt.op for receipt in named.receipts] == ["add", "project", "project", "rotate"]
    assert named.measurement.kl == sent.measurement.kl
    assert named.measurement.mean_kl > 0
    alone = steering.compare(PROMPT, steer.arm(stored="one"), noise_floor=True, max_tokens=8)
    assert alone["noise_floor"].token_ids == alone.baseline.token_ids
    scored = steering.score(PROMPT, "THINK", arms={"a": steer.arm(stored="one"), "b": add})
    assert scored["a"].logprobs == scored["b"].logprobs != scored.baseline.logprobs


def test_what_is_wrong_with_a_named_recipe_is_told_at_its_place(steering, store):
    steering.recipes.put("elsewhere", steer.add("nothing", layer=99))
    steering.recipes.put("bad", RECIPE)
    (store / ".recipes/bad.json").write_text("{")
    arms = {"a": steer.arm(stored=["unknown", "bad", "elsewhere", "../x"])}
    with pytest.raises(steer.InvalidRequest) as caught:
        steering.compare(PROMPT, arms=arms)
    found = {violation.field: violation.reason for violation in caught.value.violations}
    path = "trial.arms[0].recipes"
    assert found.pop(f"{path}[0]") == "RECIPE_NOT_FOUND"
    assert found.pop(f"{path}[1]") == "RECIPE_DAMAGED"
    assert found.pop(f"{path}[3]") == "BAD_NAME"
    assert found
    assert all(field.startswith(f"{path}[2].interventions[0].") for field in found)
    with pytest.raises(steer.NotFound):
        steering.compare(PROMPT, steer.arm(stored="unknown"))
