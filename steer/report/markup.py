"""HTML and SVG as text: what is not markup already is escaped."""

from html import escape


class Markup(str):
    """Text that is markup already."""


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element. Attributes: ``class_`` is ``class``, ``_`` a hyphen; None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Several one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else escape(one) for one in children))


def _text(value: object) -> str:
    # Coordinates need no more than a hundredth of a pixel.
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
