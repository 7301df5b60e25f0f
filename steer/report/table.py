"""A report as a table: one line for each arm."""

import csv
import io

from steer.report.columns import Report, rows_of


def as_csv(report: Report) -> str:
    """CSV with a head; fractions as they are, empty where there is no value. Empty without arms."""
    rows = rows_of(report)
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()
