"""How a comparison shows itself."""

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

import steer
from steer.client import display
from steer.client.client import Client
from steer.types import FeatureReceipt, Receipt, Site


@pytest.fixture
def result(fake):
    with Client(fake.target) as client:
        return client.compare("hi", steer.add("x"), samples=2)


def test_repr_marks_the_first_divergence(result):
    lines = repr(result).splitlines()
    assert lines[0] == "baseline  THINK <1> 2"
    assert "steered   THINK‖ <b> 9" in lines
    assert any("differs from token 1, mean KL 0.5 nats per token" in line for line in lines)
    assert any("add x at resid_post.1: 3 tokens, mean change 25.0%" in line for line in lines)
    assert any("more samples" in line for line in lines)


def test_scores_are_shown_by_arm(fake):
    with Client(fake.target) as client:
        assert repr(client.score("hi", "yo", steer.add("x"))).splitlines() == [
            "baseline  -1.500 nats",
            "steered   -1.500 nats, +0.000",
        ]


def test_the_sites_of_one_intervention_share_a_line():
    receipts = [Receipt(0, "add", "v", "", Site(layer), 1.0, 9, 0.1 * layer) for layer in (1, 2, 3)]
    other = Receipt(1, "add", "v", "", Site(1), 1.0, 9, 0.5)
    assert [*display.receipts([*receipts, other])] == [
        "add v at resid_post.1-3: 9 tokens, mean change 10.0% to 30.0%",
        "add v at resid_post.1: 9 tokens, mean change 50.0%",
    ]
    told = replace(receipts[1], features=(FeatureReceipt(7, 1.0, 2.0),))
    assert len([*display.receipts([receipts[0], told, receipts[2]])]) == 3


def test_html_is_escaped(result):
    html = result._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "<mark> &lt;b&gt; 9</mark>" in html


def test_rich(result):
    console = Console(file=io.StringIO(), width=100)
    console.print(result)
    shown = console.file.getvalue()
    assert "THINK <b> 9" in shown
    assert "mean KL 0.5" in shown


def test_to_dict_is_json(result):
    plain = result.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    row = plain["arms"]["steered"][0]
    assert row["finish_reason"] == "stop"
    assert row["receipts"][0]["site"] == {"layer": 1, "point": "resid_post"}


def test_what_is_not_finite_is_null_in_json(fake):
    fake.kl = (0.0, math.nan)
    with Client(fake.target) as client:
        plain = client.compare("hi", steer.add("x")).to_dict()
    assert plain["arms"]["steered"][0]["measurement"]["kl"] == [0.0, None]


def test_pandas_is_asked_for_when_it_is_missing(result, monkeypatch):
    def none(name):
        raise ImportError(name)

    monkeypatch.setattr("steer.client.run_table.import_module", none)
    with pytest.raises(ImportError, match="pip install pandas"):
        result.to_pandas()


def test_to_pandas(result):
    pandas = pytest.importorskip("pandas")
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["arm"]) == ["baseline", "baseline", "steered", "steered"]


def test_results_without_baseline(fake):
    with Client(fake.target) as client:
        result = client.compare("hi", steer.add("x"), baseline=False, measure=False)
    assert repr(result).splitlines()[0] == "steered  THINK <b> 9"
    assert result.measurements == {}
    with pytest.raises(KeyError):
        _ = result.baseline
