"""Two tokenizers with a token for each byte: as byte-level BPE has them, and as SentencePiece with
byte fallback has them. Ids 0 to 255 are the bytes; then a word with its space, and a special token.
"""

from tokenizers import AddedToken, Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from steer.models.text import Text

WORD, THINK = 256, 257


def _byte_level() -> Text:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    letters = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(rest)}
    vocab = {letters[byte]: byte for byte in range(256)} | {letters[32] + "word": WORD}
    return _wrapped(Tokenizer(models.BPE(vocab, [])), decoders.ByteLevel())


def _byte_fallback() -> Text:
    vocab = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"▁word": WORD}
    spaces = [decoders.Replace("▁", " "), decoders.ByteFallback()]
    decoder = decoders.Sequence([*spaces, decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return _wrapped(Tokenizer(models.BPE(vocab, [], byte_fallback=True)), decoder)


def _wrapped(backend: Tokenizer, decoder: decoders.Decoder) -> Text:
    backend.decoder = decoder
    backend.add_special_tokens([AddedToken("<think>", special=True)])
    return Text(PreTrainedTokenizerFast(tokenizer_object=backend), THINK + 1)


TEXTS = {"byte level": _byte_level(), "byte fallback": _byte_fallback()}
