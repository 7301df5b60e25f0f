"""Files as messages: in pieces that are neither many nor large."""

from collections.abc import Iterable, Iterator

import steer.v1 as pb

PIECE = 1 << 20
"""Bytes."""


def pieces(parts: Iterable[bytes], offset: int = 0) -> Iterator[pb.Piece]:
    """The bytes of a file, of which the first is at ``offset``, whatever parts they come in."""
    for part in parts:
        for start in range(0, len(part), PIECE):
            data = part[start : start + PIECE]
            yield pb.Piece(offset=offset, data=data)
            offset += len(data)
