"""A report as CSV."""

import csv
import io

from steer.report.columns import SHOWN
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


def test_what_people_are_shown_is_in_the_table(done):
    for column in SHOWN:
        assert set(column.names) <= done.report["table"][0].keys()
        texts = [column.text(row) for row in done.report["table"]]
        assert any(texts) and "None" not in texts
