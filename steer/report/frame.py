"""The frame of a page of HTML that needs nothing else: its head, sections, tables and notes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from steer.report.columns import Column
from steer.report.markup import Markup, tag
from steer.report.style import STYLE

_META = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
)


def page(title: str, *parts: Markup) -> str:
    """A whole page."""
    head = tag("head", _META, tag("title", title), tag("style", Markup(STYLE)))
    body = tag("body", tag("h1", title), *parts)
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def about(told: Iterable[str]) -> Markup:
    """The line below a title; what is empty is left out."""
    return tag("p", " · ".join(filter(None, told)), class_="meta")


def section(title: str, content: Markup) -> Iterator[Markup]:
    """A part with its title; nothing without content."""
    if content:
        yield tag("h2", title)
        yield content


def table(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A table; empty without rows. The class of a row is its role."""
    if not rows:
        return Markup()
    heads = (tag("th", column.head, title=column.hint) for column in columns)
    body = (
        tag("tr", *(tag("td", column.text(row)) for column in columns), class_=row.get("role"))
        for row in rows
    )
    drawn = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body))
    return tag("div", drawn, class_="wide")


def notes(lines: Sequence[str]) -> Markup:
    """A list; empty without lines."""
    return tag("ul", *(tag("li", line) for line in lines), class_="notes") if lines else Markup()
