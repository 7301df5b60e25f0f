"""What is uploaded is judged before it is sent."""

import json

import numpy as np
import pytest
from fake_server import MODEL

import steer
from steer.client.client import Client
from steer.client.parcels import of_arrays, of_folder

ROW = np.ones(MODEL.d_model)


def test_arrays_are_for_the_served_model():
    card = json.loads(of_arrays({1: ROW}, {"licence": "MIT"}, MODEL).card_json)
    assert card["model"]["fingerprint"] == MODEL.fingerprint
    assert (card["licence"], card["sites"]) == ("MIT", ["resid_post.1"])


def test_what_does_not_fit_the_served_model_is_told_at_once():
    arrays = {0: ROW[:-1], 1: ROW, MODEL.layers: ROW}
    with pytest.raises(steer.FailedPrecondition) as caught:
        of_arrays(arrays, {}, MODEL)
    fields = [(one.field, one.reason) for one in caught.value.violations]
    assert fields == [
        ("resid_post.0", "WIDTH_MISMATCH"),
        (f"resid_post.{MODEL.layers}", "LAYER_OUT_OF_RANGE"),
    ]
    # Of another model nothing is known here.
    assert of_arrays({99: ROW}, {"model": {"id": "m", "fingerprint": "f"}}, None).size


def test_a_field_that_no_card_has_is_not_lost_in_silence(fake, tmp_path):
    says = r"no fields of a card: licens; there are .*licence"
    with pytest.raises(steer.InvalidRequest, match=says):
        of_arrays({1: ROW}, {"licens": "MIT"}, MODEL)
    with pytest.raises(steer.InvalidRequest, match=says):
        of_folder(tmp_path, {"licens": "MIT"})
    with Client(fake.target) as client, pytest.raises(steer.InvalidRequest, match=says):
        client.vectors.upload("v", {1: ROW}, card={"licens": "MIT"})
