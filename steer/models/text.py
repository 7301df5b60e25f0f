"""Between text and token ids: one tokenizer, wrapped."""

from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property, partial
from typing import Any

from steer.errors import FailedPrecondition, InvalidRequest, Violation
from steer.types import Prompt

CONTEXT = 6
"""Prompt tokens a decoder needs to see to place spaces and join bytes rightly."""

HALF = "\ufffd"
"""What a decoder shows for bytes that are no character, or not yet one."""

LONGEST = 16
"""Tokens after which text is given although it ends in half a character: bytes that never become
one must not make each token of a row dearer than the last."""


class Text:
    """Encodes prompts, decodes tokens.

    ``tokenizer`` is a fast tokenizer of transformers; slow ones can not stream text and are
    refused with FailedPrecondition.
    """

    def __init__(self, tokenizer: Any, vocab_size: int) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise FailedPrecondition(
                f"{type(tokenizer).__name__} is a slow tokenizer; convert it to tokenizer.json",
                reason="SLOW_TOKENIZER",
            )
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size

    @cached_property
    def special(self) -> frozenset[int]:
        """Ids of special tokens."""
        return frozenset(self._tokenizer.all_special_ids)

    @property
    def has_chat_template(self) -> bool:
        """Whether chat messages can be rendered."""
        return self._tokenizer.chat_template is not None

    def encode(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        """Token ids of a prompt, special tokens added as the tokenizer does by default.

        Raises InvalidRequest with a violation at ``path``.
        """
        return self._encode(prompt, path, add_special_tokens=True)

    def encode_bare(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        """Token ids of a text that continues another: nothing is added."""
        return self._encode(prompt, path, add_special_tokens=False)

    def pieces(self, ids: tuple[int, ...]) -> tuple[str, ...]:
        """Each token as text, by itself."""
        return tuple(self._tokenizer.decode([token]) for token in ids)

    def decode(self, ids: tuple[int, ...]) -> str:
        """Text of ids, special tokens left out."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def stream(self, prompt: tuple[int, ...], special: bool = False) -> "TextStream":
        """An incremental decoder of what follows ``prompt``; ``special``: special tokens shown."""
        decode = partial(self._tokenizer.backend_tokenizer.decode, skip_special_tokens=not special)
        return TextStream(decode, prompt[-CONTEXT:])

    def _encode(self, prompt: Prompt, path: str, add_special_tokens: bool) -> tuple[int, ...]:
        if prompt.messages:
            return self._chat(prompt, f"{path}.chat")
        if prompt.token_ids:
            return self._checked(prompt.token_ids, f"{path}.tokens.ids")
        ids = self._tokenizer(prompt.text or "", add_special_tokens=add_special_tokens)["input_ids"]
        if not ids:
            raise _refusal(f"{path}.text", "EMPTY", "the prompt has no tokens")
        return tuple(ids)

    def _chat(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        if not self.has_chat_template:
            message = "this model has no chat template; send text or token ids"
            raise _refusal(path, "NO_CHAT_TEMPLATE", message)
        messages = [{"role": item.role, "content": item.content} for item in prompt.messages]
        try:
            text = self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=False
            )
        except Exception as error:  # templates raise what they like, jinja errors among it
            raise _refusal(path, "TEMPLATE_REFUSED", str(error)) from error
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _checked(self, ids: tuple[int, ...], path: str) -> tuple[int, ...]:
        unknown = [token for token in ids if token >= self._vocab_size]
        if unknown:
            message = f"no such token: {unknown[:5]}; ids go from 0 to {self._vocab_size - 1}"
            raise _refusal(path, "UNKNOWN_TOKEN", message)
        return ids


class TextStream:
    """Decodes one row token by token and never gives half a character.

    Bytes that are no text come as U+FFFD, a few tokens late. What a token costs does not depend on
    how many came before it.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], context: Sequence[int]) -> None:
        self._decode = decode
        # The last tokens: those whose text is out and without which the next would be decoded
        # wrongly, then those whose text is not out yet.
        self._ids = list(context)
        while self._ids and decode(self._ids).startswith(HALF):  # cut within a character
            del self._ids[0]
        self._out = len(self._ids)
        self._shown = decode(self._ids).rstrip(HALF)

    def push(self, token: int) -> str:
        """The text that ``token`` completes; may be empty."""
        self._ids.append(token)
        text = self._decode(self._ids)
        if text.endswith(HALF) and len(self._ids) - self._out < LONGEST:
            return ""
        return self._give(text)

    def flush(self) -> str:
        """What is left of an incomplete character, as the decoder shows it (U+FFFD)."""
        return self._give(self._decode(self._ids)) if len(self._ids) > self._out else ""

    def fork(self) -> "TextStream":
        """One that goes on from here by itself."""
        other = copy(self)
        other._ids = self._ids.copy()
        return other

    def _give(self, text: str) -> str:
        fresh = self._ids[self._out :]
        # A byte that spoils a run of bytes changes how those before it are shown.
        whole = text.startswith(self._shown)
        piece = text[len(self._shown) :] if whole else self._decode(fresh)
        if piece:
            self._ids, self._out, self._shown = fresh, len(fresh), self._decode(fresh)
        elif len(fresh) >= LONGEST:
            del self._ids[self._out :]
        return piece


def _refusal(path: str, reason: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, reason=reason, violations=[Violation(path, reason, message)])
