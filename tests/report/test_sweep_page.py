"""The page of a sweep, of partial ones too."""

import pytest

from steer.report.sweep_page import sweep_page
from tests.report import reader
from tests.report.reader import HOSTILE
from tests.runs.sweep.test_sweep import a1, report, swept

__all__ = ["a1", "report", "swept"]


def read(told):
    return reader.read(sweep_page(told, "x"))


def test_it_has_every_cell_both_maps_and_the_evaluation(report):
    page = read(report)
    assert not {"script", "link", "img"} & set(page.elements)
    for words in ("add · resid_post ×0.25", "linear CKA", "noise floor", "Dose and response"):
        assert words in page.text
    (verdict,) = report["evaluation"]["verdicts"]
    assert verdict["outcome"] in page.text


@pytest.mark.parametrize("left", ["evaluation", "table", "modes"])
def test_what_is_not_there_yet_is_left_out(report, left):
    told = {key: value for key, value in report.items() if key not in ("best", "evaluation")}
    told |= {"table": [], "layers": []} if left == "table" else {}
    told |= {"modes": []} if left == "modes" else {}
    assert "Not every cell is done" in read(told).text


def test_names_are_no_markup(report):
    rows = [row | {"op": HOSTILE if row["op"] else None} for row in report["table"]]
    assert HOSTILE in read(report | {"table": rows}).text
