"""Our own safetensors files: any item, with its card among the metadata."""

from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft
from steer.formats.matrix import Array, Matrix, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.store import KINDS, Card, CardError

CARD = "steer.card"
"""Key of the metadata that holds the card as JSON."""


def recognise(source: Source) -> bool:
    """Safetensors files with a card."""
    return bool(_files(source))


def _files(source: Source) -> list[File]:
    files = source.ending(".safetensors")
    return [file for file in files if CARD in read_safetensors(file).metadata]


def read(reading: Reading) -> Draft:
    """The item as it was, whatever its kind."""
    file = reading.choose_file(_files(reading.source), "items")
    content = read_safetensors(file)
    try:
        card = Card.from_json(content.metadata[CARD])
    except CardError as error:
        refuse(file.at, "BAD_CARD", f"has a card that can not be read: {error}"[:300])
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


def _part(tensor: Tensor, card: Card) -> Array | Matrix:
    large = card.dictionary is not None and len(tensor.shape) == 2
    return tensor.matrix() if large else tensor.array()
