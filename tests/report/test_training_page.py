"""The page of a training run, of one that goes on too."""

from steer.report.training_page import training_page
from tests.report.reader import HOSTILE, read
from tests.runs.conftest import context, planner, running, store
from tests.runs.train.test_train import KIND, SPEC, done

__all__ = ["context", "planner", "running", "store"]


def test_it_has_the_curves_the_looks_and_why_it_ended(context):
    report = KIND.report(SPEC, done(SPEC, context))
    page = read(training_page(report, "x"))
    assert not {"script", "link", "img"} & set(page.elements)
    measured = report["card"]["measured"]
    for words in (
        *("run x", "8 steps", report["address"], report["because"], "Looks at the split select"),
        *("reward", "selected", "relative.resid_post.1", "relative.mlp_out.2"),
        f"{measured['unsteered_selected']:g} % → {measured['selected']:g} %",
    ):
        assert words in page.text
    assert "loss" not in page.text  # Rewards have none.
    hostile = report | {"name": HOSTILE, "because": HOSTILE}
    assert not {"script", "img"} & set(read(training_page(hostile)).elements)


def test_one_that_goes_on_shows_what_there_is(context):
    begun = KIND.report(SPEC, done(SPEC, context, most=2))
    page = read(training_page(begun, "x"))
    assert "nothing is stored yet" in page.text and "reward" in page.text
    assert "0 steps" in read(training_page(KIND.report(SPEC, {}))).text
