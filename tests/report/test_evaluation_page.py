"""The page of a report: whole, self-contained, and nothing in it is taken for markup."""

import copy

import pytest

from steer.report.evaluation_page import evaluation_page
from tests.report import reader
from tests.report.reader import HOSTILE


def read(report):
    return reader.read(evaluation_page(report))


def test_it_needs_nothing_else(done):
    page = read(done.report)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.elements)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href"} & names and not any(name.startswith("on") for name in names)
    assert not any(word in evaluation_page(done.report) for word in ("http", "@import"))


def test_it_has_the_verdict_every_arm_and_the_examples(done):
    text = read(done.report).text
    (verdict,) = done.report["verdicts"]
    assert verdict["outcome"] in text
    assert all(finding["rule"] in text for finding in verdict["findings"])
    for arm in done.report["arms"]:
        assert arm["name"] in text
    for example in done.report["examples"]:
        assert example["prompt"] in text


def test_tokens_are_the_redder_the_farther_they_went(done):
    heats = [value for name, value in read(done.report).attributes if name == "style"]
    example = done.report["examples"][0]["arms"]["steered"]
    assert len(example["kl"]) == len(example["pieces"])
    hottest = max(example["kl"])
    assert f"--heat:{100 * min(1, hottest / 3):.0f}%" in heats


def test_what_a_model_or_a_caller_wrote_is_text(done):
    report = copy.deepcopy(done.report)
    report["examples"][0]["prompt"] = HOSTILE
    report["examples"][0]["arms"]["steered"]["pieces"][0] = HOSTILE
    report["table"][1]["arm"] = HOSTILE
    report["warnings"] = [HOSTILE]
    report["subject"] = HOSTILE
    page = read(report)
    assert not {"script", "img"} & set(page.elements)
    assert page.text.count("<script>alert(1)</script>") >= 4


def test_every_figure_and_table_is_there(done):
    page = read(done.report)
    for title in (
        *("Accuracy of every arm", "Dose and response", "The trace cut short"),
        *("Information gain in bits per answer", "Mean relative change of the activations"),
        *("Every arm", "Against the baseline", "What they write", "Examples"),
    ):
        assert title in page.text
    assert "area over the curve" in page.text and "swapped: " in page.text
    assert "pass@k" not in page.text


def test_several_samples_are_shown_as_pass_at_k_against_guessing(done):
    report = copy.deepcopy(done.report)
    for arm in report["summary"]["arms"]:
        (one,) = arm["passes"]
        low, high = one["low"], one["high"]
        two = {"k": 2, "value": 0.75, "low": low, "high": high, "chance": 0.19, "corrected": 0.7}
        arm["passes"].append(two)
    text = read(report).text
    assert "pass@2 75.0 %, 70.0 % corrected for guessing" in text
    assert "guessing" in text and "would be chance" in text


def test_problems_of_one_make_have_a_curve_without_intervals(done):
    report = copy.deepcopy(done.report)
    for arm in report["summary"]["arms"]:
        (one,) = arm["passes"]
        arm["passes"] = [{**one, "k": k, "low": None, "high": None, "chance": None} for k in (1, 2)]
    assert "Several samples" in read(report).text


def test_before_there_are_numbers_it_says_so(done):
    keys = ("n", "split", "samples", "seed", "subject", "task", "model")
    assert "No numbers yet" in read({key: done.report[key] for key in keys}).text


@pytest.mark.parametrize("kind", ["gains", "effects"])
def test_what_was_not_measured_is_not_there(done, kind):
    report = copy.deepcopy(done.report)
    report["summary"][kind] = []
    report["places"] = {}
    page = read(report)
    assert "Where it acts" not in page.text
    assert ("Information gain" in page.text) is (kind != "gains")
