"""What is uploaded: a card, and a tensor file."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steer.client.local_files import LocalFile, Piece
from steer.client.operands import float32
from steer.client.sites import SiteLike, as_site
from steer.errors import FailedPrecondition, InvalidRequest, NotFound, Violations
from steer.types import ModelInfo, Site

FORMAT = "steer.vector/1"
CARD, TENSORS = "card.json", "vector.safetensors"

# Fields of a card, of which vectors/README.md tells.
_CARD_FIELDS = frozenset(
    "format kind description model d_model sites residual_norms defaults method data_hash measured "
    "licence created dictionary norms content_hash sha256".split()
)

# A folder with card.json and its tensor file, or {layer or site: array of shape (d_model,)}.
Source = str | Path | Mapping[SiteLike, Any]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A card as JSON, and the tensor file. ``sha256``: of the file, hex."""

    card_json: str
    file: LocalFile
    sha256: str

    @property
    def size(self) -> int:
        """Of the file, bytes."""
        return self.file.size

    def pieces(self, offset: int) -> Iterator[Piece]:
        """The file from an offset on."""
        return self.file.pieces(offset)


def of_folder(folder: str | Path, card: Mapping[str, Any]) -> Parcel:
    """A folder as ``vectors/README.md`` has it, of its first version. ``card``: fields to put in
    place of those of its card.

    Raises NotFound for a file that is not there, InvalidRequest for a card that is no JSON object
    and for fields given here that no card has.
    """
    _check_fields(card)
    if not isinstance(folder, str | Path):
        raise InvalidRequest("give a folder with card.json, or arrays by their layers: {12: array}")
    root = Path(folder)
    try:
        text = (root / CARD).read_text("utf-8")
        own = json.loads(text)
        if not isinstance(own, dict):
            raise ValueError("not a JSON object")
    except OSError as error:
        raise NotFound(f"{root / CARD}: {error.strerror}", reason="FILE_NOT_FOUND") from None
    except ValueError as error:
        raise InvalidRequest(f"{root / CARD}: {error}", reason="BAD_CARD") from None
    named = root / f"{own.get('sha256')}.safetensors"
    path = named if named.is_file() else root / TENSORS
    if not path.is_file():
        raise NotFound(f"{path}: there is no such file", reason="FILE_NOT_FOUND")
    # What is not changed goes as it is, to the byte.
    return _parcel(json.dumps({**own, **card}) if card else text, LocalFile.of(path))


def of_arrays(
    arrays: Mapping[SiteLike, Any], card: Mapping[str, Any], served: ModelInfo | None
) -> Parcel:
    """A direction. ``card``: fields of its card. ``served``: the model it is for, where the card
    does not say.

    Raises InvalidRequest for what is no array and for what is no field of a card,
    FailedPrecondition for what does not fit ``served``.
    """
    _check_fields(card)
    data = {as_site(site): float32(array) for site, array in arrays.items()}
    if not data:
        raise InvalidRequest("there is no array to store; give {layer: array}")
    own: dict[str, Any] = {
        "format": FORMAT,
        "kind": "direction",
        "d_model": len(next(iter(data.values()))) // 4,
        "sites": [str(site) for site in sorted(data)],
        "method": {"name": "given"},
    }
    if served is not None:
        _check_fits(data, served)
        of = {"id": served.id, "revision": served.revision, "fingerprint": served.fingerprint}
        own["model"] = of
    return _parcel(json.dumps({**own, **card}), LocalFile.of(_safetensors(data)))


def _check_fields(card: Mapping[str, Any]) -> None:
    if unknown := card.keys() - _CARD_FIELDS:
        named, have = ", ".join(sorted(unknown)), ", ".join(sorted(_CARD_FIELDS))
        raise InvalidRequest(f"no fields of a card: {named}; there are {have}", reason="BAD_CARD")


def _check_fits(data: Mapping[Site, bytes], served: ModelInfo) -> None:
    found = Violations()
    for site in sorted(data):
        width = len(data[site]) // 4
        if width != served.d_model:
            has = f"has {width} numbers, the width of {served.id} is {served.d_model}"
            found.add(str(site), "WIDTH_MISMATCH", has, FailedPrecondition)
        elif site.layer >= served.layers:
            has = f"is beyond the layers of {served.id}, 0 to {served.layers - 1}"
            found.add(str(site), "LAYER_OUT_OF_RANGE", has, FailedPrecondition)
    found.raise_if_any()


def _safetensors(data: Mapping[Site, bytes]) -> bytes:
    """Float32 vectors in the format of the safetensors project."""
    header, offset = {}, 0
    for site in sorted(data):
        size = len(data[site])
        offsets = [offset, offset + size]
        header[str(site)] = {"dtype": "F32", "shape": [size // 4], "data_offsets": offsets}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(data[s] for s in sorted(data))])


def _parcel(card_json: str, file: LocalFile) -> Parcel:
    digest = hashlib.sha256()
    for piece in file.pieces():
        digest.update(piece.data)
    return Parcel(card_json, file, digest.hexdigest())
