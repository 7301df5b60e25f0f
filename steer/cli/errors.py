"""Errors as readable text on stderr, and exit codes."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError, Unavailable

BAD_INPUT = (InvalidRequest, NotFound, FailedPrecondition)


class ReportingGroup(TyperGroup):
    """Turns every SteerError of a command into text and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SteerError as error:
            print(_text(error), file=sys.stderr)
            raise typer.Exit(_exit_code(error)) from None


def _exit_code(error: SteerError) -> int:
    if isinstance(error, BAD_INPUT):
        return 2
    return 3 if isinstance(error, Unavailable) else 1


def _text(error: SteerError) -> str:
    lines = [str(violation) for violation in error.violations] or [error.message]
    if error.retry_after is not None:
        lines.append(f"try again in {error.retry_after:g} s")
    if isinstance(error, Unavailable) and not error.request_id:
        lines.append("is a server there? `steer serve` starts one, --target names another")
    if error.request_id:
        lines.append(f"request {error.request_id}")
    return "\n  ".join([f"error ({error.reason}):", *lines])
