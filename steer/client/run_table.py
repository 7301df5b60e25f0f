"""Results of a run as a table."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from steer.specs import UnitResult


def records(results: Iterable[UnitResult]) -> list[dict[str, Any]]:
    """A row for each record of each result, with the key of its unit."""
    return [
        {"unit": one.key, **record} for one in results for record in one.result.get("records", ())
    ]


def as_pandas(rows: Iterable[dict[str, Any]]) -> Any:
    """A ``pandas.DataFrame``. Raises ImportError without pandas."""
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise ImportError("to_pandas needs pandas: pip install pandas") from error
    return pandas.DataFrame(list(rows))
