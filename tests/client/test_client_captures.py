"""Captures: what is asked for, and what comes back as arrays."""

import subprocess
import sys

import numpy as np
import pytest

import steer
from steer import types as t
from steer.client.async_client import AsyncClient
from steer.client.client import Client


@pytest.fixture
def client(fake):
    with Client(fake.target, timeout=10) as running:
        yield running


def test_what_is_asked_for(fake, client):
    client.capture("hi", steer.add("x"), layers=[1, 2], point="attn_out", sites=[3, (4, "mlp_out")],
                   features={"sae": 5, "other": [3, 1]}, where="first", keep=True)  # fmt: skip
    client.capture("hi", layers=1, max_tokens=4)
    client.capture("hi", features=[t.FeatureReadout("sae", 2, (7,))], where=steer.where(every=2))
    first, second, third = fake.captures
    assert [str(site) for site in first.sites] == [
        "attn_out.1",
        "attn_out.2",
        "attn_out.3",
        "mlp_out.4",
    ]
    assert first.features == (
        t.FeatureReadout("sae", 5),
        t.FeatureReadout("other", indices=(3, 1)),
    )
    assert (first.where, first.keep) == (t.Where(t.Phase.FIRST), True)
    assert first.trial.arms[0].name == "steered"
    assert (first.trial.sampling.max_tokens, second.trial.sampling.max_tokens) == (1, 4)
    assert (second.where, second.keep, second.sites) == (t.Where(), False, (t.Site(1),))
    assert third.features == (t.FeatureReadout("sae", 2, (7,)),)
    assert third.where == t.Where(every=2)


def test_activations_are_arrays(client):
    capture = client.capture("hi", steer.add("x"), layers=[1, 2], samples=2)
    positions, values = capture.activations("steered", 2, sample=1)
    assert positions == (0, 1, 2)
    assert (values.shape, values.dtype) == ((3, 8), np.float32)
    assert np.array_equal(values, np.repeat([[200], [201], [202]], 8, axis=1))
    one = client.capture("hi", layers=1)
    assert np.array_equal(one.activations().values, one.activations(site=t.Site(1)).values)
    with pytest.raises(KeyError, match=r"resid_post\.1, resid_post\.2"):
        capture.activations("steered")
    with pytest.raises(KeyError, match=r"arm 'steered', sample 5.*have arm 'baseline', sample 0"):
        capture.activations("steered", 2, sample=5)


def test_features_by_position(client):
    capture = client.capture("hi", features={"sae": 2})
    assert capture.features() == {i: {7: 2.5, 3: float(i)} for i in range(3)}
    assert capture.features(dictionary="sae") == capture.features()
    assert list(capture.features()[0]) == [7, 3]
    with pytest.raises(KeyError, match="none"):
        capture.activations()


def test_what_was_kept_can_be_patched_in(client):
    capture = client.capture("hi", layers=1, keep=True, samples=2)
    assert capture.held() == "cap-baseline-0"
    assert capture.held("baseline", 1) == "cap-baseline-1"
    (patch,) = steer.patch(capture=capture.held(), layer=1).interventions
    assert patch.op.capture_id == "cap-baseline-0"
    with pytest.raises(KeyError, match="have"):
        client.capture("hi", layers=1).held()


def test_what_was_generated_comes_too(client):
    capture = client.capture("hi", steer.add("x"), layers=1)
    assert capture.generated["steered"].text == "THINK <b> 9"
    assert capture.started.arms[1].name == "steered"
    assert repr(capture) == ("Capture(arms=['baseline', 'steered'], read=['resid_post.1'], held=0)")


def test_events(client):
    kinds = [type(event).__name__ for event in client.capture_stream("hi", layers=1)]
    assert kinds[0] == "Started"
    assert kinds.count("CapturedActivations") == 2
    assert kinds[-2:] == ["Finished", "tuple"]


def test_an_answer_that_breaks_off_is_an_error(fake, client):
    fake.endless = True
    with pytest.raises(steer.ServerError, match="before all activations"):
        client.capture("hi", layers=1)


async def test_async_capture(fake):
    async with AsyncClient(fake.target) as client:
        capture = await client.capture("hi", layers=1, keep=True)
        assert capture.activations().positions == (0, 1, 2)
        streamed = await client.capture_stream("hi", layers=1, keep=True).result()
        assert streamed.held() == capture.held()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 1, "sites": [(1, "resid_post")]},
        {"layers": -1},
        {"layers": ["one"]},
        {"sites": ["resid_post.1"]},
        {"layers": 1, "point": "nowhere"},
        {"layers": 1, "where": "later"},
        {"features": {"sae": 0}},
        {"features": {"sae": 1001}},
        {"features": {"sae": [1, 1]}},
        {"features": {"sae": 1}, "keep": True},
        {"features": "sae"},
    ],
)
def test_nonsense_is_refused(client, options):
    with pytest.raises(steer.InvalidRequest):
        client.capture("hi", **options)


def test_without_numpy_activations_are_a_memoryview():
    code = """
import sys; sys.modules["numpy"] = None
from array import array
from steer.client.captures import _matrix
data = array("f", range(6)); data.byteswap() if sys.byteorder == "big" else None
matrix = _matrix(data.tobytes(), 3)
print(matrix.shape, matrix[2, 1], matrix.tolist(), _matrix(b"", 0).tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(3, 2) 5.0 [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]] []"
