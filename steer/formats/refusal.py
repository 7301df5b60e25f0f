"""Refusing what is wrong with a file."""

from typing import NoReturn

from steer.errors import InvalidRequest, Violation


class ChoiceNeeded(InvalidRequest):
    """The source holds several things; ``choices`` are what ``Options.choice`` may be."""

    default_reason = "CHOICE_NEEDED"

    def __init__(self, what: str, choices: tuple[str, ...]) -> None:
        listed = ", ".join(choices[:50]) + (", …" if len(choices) > 50 else "")
        message = f"there are {len(choices)} {what}, choose one: {listed}"
        violation = Violation("options.choice", self.default_reason, message)
        super().__init__(str(violation), violations=[violation])
        self.choices = choices


def refuse(field: str, reason: str, message: str) -> NoReturn:
    """Raise InvalidRequest with one violation: what can not be read on."""
    violation = Violation(field, reason, message)
    raise InvalidRequest(str(violation), reason=reason, violations=[violation])
