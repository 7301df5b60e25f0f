"""The page of a report, by the kind of its run."""

from collections.abc import Callable, Mapping
from typing import Any

from steer.report.evaluation_page import evaluation_page
from steer.report.extraction_page import extraction_page
from steer.report.sweep_page import sweep_page
from steer.report.training_page import training_page

PAGES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "evaluate": evaluation_page,
    "extract": extraction_page,
    "sweep": sweep_page,
    "train": training_page,
}
