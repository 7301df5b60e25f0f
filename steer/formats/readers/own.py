"""Our own safetensors files: any item, with its card among the metadata or in card.json beside."""

from collections.abc import Mapping
from typing import Any

from steer.formats.containers.safetensors import read_safetensors
from steer.formats.containers.text import read_json, read_text
from steer.formats.draft import Draft
from steer.formats.matrix import Array, Matrix, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.store import KINDS, Card, CardError
from steer.store.card import FORMAT
from steer.store.versions import SIMPLE_TENSORS, card_file, tensor_file

CARD = "steer.card"
"""Key of the metadata that holds the card as JSON."""

CARD_FILE = card_file(1)


def recognise(source: Source) -> bool:
    """Safetensors files with a card."""
    return bool(_files(source))


def _files(source: Source) -> list[File]:
    return [file for file in source.ending(".safetensors") if _card(source, file)]


def _card(source: Source, file: File) -> str:
    """The card of a file as text; empty when it has none."""
    return _card_beside(source, file) or read_safetensors(file).metadata.get(CARD, "")


def _card_beside(source: Source, file: File) -> str:
    beside = source.beside(file, CARD_FILE)
    if beside is None:
        return ""
    raw = read_json(beside)
    ours = raw.get("format") == FORMAT and file.name in _named_by(raw)
    return read_text(beside) if ours else ""


def _named_by(card: Mapping[str, Any]) -> tuple[str, str]:
    """What the tensor file of the first version is called."""
    return SIMPLE_TENSORS, tensor_file(str(card.get("sha256")))


def read(reading: Reading) -> Draft:
    """The item as it was, whatever its kind."""
    file = reading.choose_file(_files(reading.source), "items")
    content = read_safetensors(file)
    try:
        card = Card.from_json(_card(reading.source, file))
    except CardError as error:
        refuse(file.at, "BAD_CARD", f"has a card that can not be read: {error}"[:300])
    if card.sha256 and _card_beside(reading.source, file):
        _check_whole(file, card)
    _check_model(reading, card)
    if card.kind not in KINDS:
        refuse(file.at, "UNKNOWN_KIND", f"is a {card.kind[:50]!r}, want {', '.join(KINDS)}")
    return Draft(
        card.kind,
        card.sites,
        {name: _part(tensor, card) for name, tensor in content.tensors.items()},
        card.d_model,
        writer="steer",
        convention="ours",
        model=card.model,
        spec=card.dictionary,
        card=card,
    )


def _check_whole(file: File, card: Card) -> None:
    # A card inside its file can not know the hash of it.
    found = file.sha256()
    if found != card.sha256:
        refuse(file.at, "CHECKSUM", f"has the sha256 {found}, its card says {card.sha256[:64]}")


def _check_model(reading: Reading, card: Card) -> None:
    """Whoever knows the weights need not be told the model."""
    said = reading.options.model
    if card.fingerprint and said not in ("", card.model):
        message = f"is {said!r}; the card says {card.model[:200]!r}, and which weights of it"
        reading.found.add("options.model", "NOT_USED", message)


def _part(tensor: Tensor, card: Card) -> Array | Matrix:
    large = card.dictionary is not None and len(tensor.shape) == 2
    return tensor.matrix() if large else tensor.array()
