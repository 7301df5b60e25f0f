"""What a caller may call a prompt, and the prompt it becomes."""

from collections.abc import Iterable, Mapping
from typing import Any

from steer.errors import InvalidRequest
from steer.types import Message, Prompt

# Text, token ids, chat messages ({"role": …, "content": …}), or a ready prompt.
PromptLike = str | Prompt | Iterable[int] | Iterable[Mapping[str, str] | Message]


def as_prompt(value: PromptLike) -> Prompt:
    """The prompt a caller means. Raises InvalidRequest."""
    if isinstance(value, Prompt):
        return value
    if isinstance(value, str):
        return Prompt(text=value)
    items: list[Any] = list(value)
    if items and isinstance(items[0], Mapping | Message):
        return Prompt(messages=tuple(map(_message, items)))
    if items and isinstance(items[0], str):
        raise InvalidRequest(
            "a call has one prompt: a text, token ids or chat messages, not a list of texts; "
            "make a call of each"
        )
    return Prompt(token_ids=tuple(items))


def one_prompt(
    prompt: PromptLike | None,
    messages: Iterable[Mapping[str, str] | Message] | None,
    token_ids: Iterable[int] | None,
) -> Prompt:
    """The one of the three that was given. Raises InvalidRequest for none or several."""
    given = [form for form in (prompt, messages, token_ids) if form is not None]
    if len(given) != 1:
        raise InvalidRequest(f"give exactly one of prompt, messages, token_ids, not {len(given)}")
    return as_prompt(given[0])


def _message(value: Any) -> Message:
    if isinstance(value, Message):
        return value
    try:
        return Message(**value)
    except TypeError:
        raise InvalidRequest(
            f"a message has exactly the keys role and content, not {', '.join(map(str, value))}"
        ) from None
