"""Captures and patches through the SDK and a real channel."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest

import steer
import steer.v1 as pb
from steer.engine import rows
from steer.store import Store, bundled
from tests.helpers import until
from tests.server.conftest import Serve, Served, serving
from tests.server.items import LATENTS, sae
from tests.server.messages import PROMPT

CLEAN, OTHER = "quiz 3 : d a h c c f =", "quiz 5 : b b h a g e ="
LAYERS = range(3)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store") / "vectors"
    shutil.copytree(bundled(), root)
    store = Store(root)
    fingerprint = store.get("a1-rloo").card.fingerprint
    store.put(replace(sae(64, fingerprint), name="sae"))
    with serving(tmp_path_factory.mktemp("s"), store=root) as running:
        yield running


def test_a_capture_holds_prompt_and_generated_positions_of_every_arm(served):
    capture = served.client.capture(
        CLEAN, steer.add("a1-rloo"), layers=LAYERS, point="resid_post", max_tokens=5
    )
    count = len(served.client.tokenize(CLEAN).token_ids)
    for layer in LAYERS:
        site = steer.Site(layer)
        positions, base = capture.activations("baseline", site)
        steered_positions, steered = capture.activations("steered", site)
        generated = len(capture.generated.steered.token_ids)
        assert list(positions)[:count] == list(range(count))
        assert list(steered_positions) == list(range(count + generated - 1))
        assert base.shape == (len(positions), 64) and np.isfinite(base).all()
        # The vector acts at layer 2 from P-1 on: before that the two are the same numbers.
        same = np.array_equal(base[: count - 1], steered[: count - 1])
        assert same and (layer < 2) == np.array_equal(base[count - 1], steered[count - 1])


def test_features_are_read_where_the_dictionary_reads(served):
    capture = served.client.capture(
        CLEAN, layers=[1], features={"sae": 5}, where=steer.where("first")
    )
    ((position, latents),) = capture.features(dictionary="sae").items()
    (_, h) = capture.activations("baseline", steer.Site(1))
    item = sae(64, "")
    dense = np.maximum(h[0] @ item.tensors["encoder"].T + item.tensors["encoder_bias"], 0)
    best = sorted(range(LATENTS), key=lambda i: -dense[i])[:5]
    assert list(latents) == best
    assert position == len(served.client.tokenize(CLEAN).token_ids) - 1
    np.testing.assert_allclose(list(latents.values()), dense[best], rtol=1e-4)


def test_patching_everything_from_an_arm_or_a_capture_gives_the_other_answer(served):
    arms = {
        "clean": steer.arm(prompt=CLEAN),
        "patched": steer.patch(arm="clean", layer=0, point="resid_pre", where="prompt"),
    }
    result = served.client.compare(OTHER, arms=arms, max_tokens=6)
    assert result["patched"].token_ids == result["clean"].token_ids
    assert result["patched"].token_ids != result.baseline.token_ids
    capture = served.client.capture(
        CLEAN,
        layers=[0],
        point="resid_pre",
        keep=True,
        where=steer.where("all", include_special_tokens=True),
    )
    recipe = steer.patch(capture=capture.held(), where="prompt")
    again = served.client.compare(OTHER, recipe, max_tokens=6)
    assert again.steered.token_ids == result["clean"].token_ids
    assert again.steered.receipts[0].tokens == len(served.client.tokenize(OTHER).token_ids)


def test_a_sweep_over_layers_and_positions_is_one_call(served):
    count = len(served.client.tokenize(OTHER).token_ids)
    arms = {"clean": steer.arm(prompt=CLEAN)} | {
        f"{layer}/{position}": steer.patch(
            arm="clean",
            layer=layer,
            where=steer.where("prompt", ranges=[steer.Range(position, position + 1)]),
        )
        for layer in LAYERS
        for position in range(count)
    }
    result = served.client.compare(OTHER, arms=arms, max_tokens=1)
    touched = {name: result[name].receipts[0].tokens for name in arms if name != "clean"}
    assert set(touched.values()) == {1}
    # The last block's output at the last position decides the token alone.
    assert result[f"2/{count - 1}"].token_ids == result["clean"].token_ids


def test_a_slow_reader_pauses_its_own_trial_and_nobody_elses(serve: Serve, monkeypatch):
    monkeypatch.setattr(rows, "WINDOW", 20_000)
    served = serve()
    trial = pb.Trial(prompt=PROMPT, sampling=pb.Sampling(max_tokens=48, ignore_eos=True))
    sites = [pb.Site(layer=layer, point=point) for layer in LAYERS for point in range(1, 6)]
    request = pb.CaptureRequest(trial=trial, sites=sites)
    go_on = threading.Event()
    with grpc.insecure_channel(
        served.address, options=[("grpc.http2.lookahead_bytes", 1024)]
    ) as channel:
        answers = pb.SteeringServiceStub(channel).Capture(request, timeout=60)
        first = next(answers)
        assert first.HasField("started")
        other = served.client.compare(CLEAN, max_tokens=8)
        assert len(other.baseline.token_ids) > 0
        go_on.set()
        rest = list(answers)
    total = sum(len(answer.activations.tensor.data) for answer in rest)
    tokens = len(served.client.tokenize(CLEAN).token_ids) + 47
    assert total == tokens * len(sites) * 64 * 4
    assert rest[-1].HasField("held")
    until(lambda: served.load() == (0, 0))


def test_the_memory_for_captures_is_bounded(tmp_path: Path):
    with serving(tmp_path, capture_bytes=64 * 4 * 25) as served:
        held = [served.client.capture(CLEAN, layers=[0], keep=True).held() for _ in range(5)]
        with pytest.raises(steer.FailedPrecondition) as caught:
            served.client.compare(OTHER, steer.patch(capture=held[0]), max_tokens=2)
        assert caught.value.reason == "NO_SUCH_CAPTURE"
        served.client.compare(OTHER, steer.patch(capture=held[-1]), max_tokens=2)
        with pytest.raises(steer.SteerError) as caught:
            served.client.capture(CLEAN, layers=LAYERS, max_tokens=40, keep=True)
        assert caught.value.reason == "CAPTURE_TOO_LARGE"
        # Each row by itself would fit, and push out those before it, whose ids are given too.
        with pytest.raises(steer.SteerError) as caught:
            served.client.capture(CLEAN, layers=[0], samples=8, temperature=1.0, keep=True)
        assert caught.value.reason == "CAPTURE_TOO_LARGE"
