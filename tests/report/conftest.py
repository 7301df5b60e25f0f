"""A report of a real evaluation."""

from tests.runs.evaluate.conftest import a1, done

__all__ = ["a1", "done"]
