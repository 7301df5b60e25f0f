"""Between text and token ids: one tokenizer, wrapped."""

from functools import cached_property
from typing import Any

from tokenizers.decoders import DecodeStream

from steer.errors import FailedPrecondition, InvalidRequest, Violation
from steer.types import Prompt

CONTEXT = 6
"""Prompt tokens a decoder needs to see to place spaces and join bytes rightly."""


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

    def stream(self, prompt: tuple[int, ...]) -> "TextStream":
        """An incremental decoder of what follows ``prompt``."""
        return TextStream(self._tokenizer.backend_tokenizer, prompt[-CONTEXT:])

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
    """Decodes one row token by token and never gives half a character."""

    def __init__(self, backend: Any, context: tuple[int, ...]) -> None:
        self._backend = backend
        self._context = list(context)
        self._stream = DecodeStream(list(context), skip_special_tokens=True)
        self._ids: list[int] = []
        self.text = ""

    def push(self, token: int) -> str:
        """The text that ``token`` completes; may be empty."""
        self._ids.append(token)
        piece = self._stream.step(self._backend, token) or ""
        self.text += piece
        return piece

    def flush(self) -> str:
        """What is left of an incomplete character, as the decoder shows it (U+FFFD)."""
        before = self._backend.decode(self._context, skip_special_tokens=True)
        whole = self._backend.decode(self._context + self._ids, skip_special_tokens=True)
        rest = str(whole[len(before) + len(self.text) :]) if whole.startswith(before) else ""
        self.text += rest
        return rest


def _refusal(path: str, reason: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, reason=reason, violations=[Violation(path, reason, message)])
