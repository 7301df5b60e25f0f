"""A report as CSV."""

import csv
import io

import pytest

from steer.report.columns import PAIRED, SHOWN, WRITTEN
from steer.report.table import as_csv


def test_every_arm_is_a_line_with_every_value(done):
    lines = list(csv.DictReader(io.StringIO(as_csv(done.report))))
    assert [line["arm"] for line in lines] == [arm["name"] for arm in done.report["arms"]]
    for line, row in zip(lines, done.report["table"], strict=True):
        assert line.keys() == row.keys()
        assert float(line["accuracy"]) == row["accuracy"]
        assert (line["cosine"] == "") is (row["cosine"] is None)


def test_a_report_without_numbers_is_empty():
    assert as_csv({}) == ""


@pytest.mark.parametrize("columns", [SHOWN, PAIRED, WRITTEN])
def test_what_people_are_shown_is_in_the_table(done, columns):
    for column in columns:
        assert set(column.names) <= done.report["table"][0].keys()
        texts = [column.text(row) for row in done.report["table"]]
        assert any(texts) and "None" not in texts
