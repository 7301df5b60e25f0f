"""What the terminal shows of an extraction: what was stored, and how reliable it is."""

from collections.abc import Mapping
from typing import Any

from steer.cli.output import print_table
from steer.report.extraction_page import SITES, steers


def print_extraction(report: Mapping[str, Any]) -> None:
    """The stored vector and a line a site; before there is one, what was read."""
    if "address" not in report:
        print(f"{report['texts']} texts read")
        return
    print_table(
        (column.head for column in SITES),
        ([column.text(row) or "-" for column in SITES] for row in report["table"]),
    )
    if tried := report.get("steers"):
        print(steers(tried))
    print(f"{report['method']}, {report['texts']} texts: stored as {report['address']}")
    for warning in report["warnings"]:
        print(f"note: {warning}")
