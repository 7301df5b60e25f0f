"""Our own safetensors: any item in one file, with its card among the metadata."""

from steer.formats.layout import encode
from steer.formats.matrix import Array, Matrix
from steer.formats.readers.own import CARD
from steer.formats.writers.written import Output, Written
from steer.store import Item


def write(item: Item) -> Written:
    """One file that ``read`` makes the same item of. Tensors are called as in the store."""
    parts: dict[str, Array | Matrix] = {
        name: Matrix.of(array) if array.ndim == 2 else array
        for name, array in item.arrays().items()
    }
    metadata = {"format": "pt", CARD: item.card.to_json()}
    size, _ = encode(parts, metadata)
    return Written({"vector.safetensors": Output(size, lambda: encode(parts, metadata)[1])})
