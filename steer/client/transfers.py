"""Uploads and downloads over connections that break: where they go on, when they are given up.

Nothing here does the calls, so that both clients share it.
"""

import hashlib
import os
import shutil
from pathlib import Path

import steer.v1 as pb
from steer import wire
from steer.client import vector_calls
from steer.client.calls import Call, Sending
from steer.client.local_files import safe_path
from steer.client.parcels import CARD, TENSORS, Parcel
from steer.client.vector_calls import Exported, UploadState
from steer.errors import (
    DeadlineExceeded,
    Interrupted,
    InvalidRequest,
    ServerError,
    SteerError,
    Unavailable,
)
from steer.types import VectorInfo

_PAUSES = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""Seconds between tries that get nowhere: as long as a server may take to notice that a connection
was lost, or to load its model again."""


class Reconnects:
    """How often a transfer that was under way is tried again."""

    def __init__(self) -> None:
        self._failures = 0

    def progressed(self) -> None:
        """Something arrived."""
        self._failures = 0

    def pause(self, error: SteerError) -> float:
        """Seconds until the next try. Raises ``error`` when there is none."""
        self._failures += 1
        if not may_pass(error) or self._failures > len(_PAUSES):
            raise error
        return _PAUSES[self._failures - 1]


def may_pass(error: SteerError) -> bool:
    """Whether waiting may help."""
    # The server may notice a lost connection later than the client, and have the upload open still.
    lost = isinstance(error, Unavailable | DeadlineExceeded)
    return lost or error.reason == "UPLOAD_IN_USE"


class Uploading:
    """One upload, from its beginning to the stored ``vector``."""

    def __init__(self, name: str, parcel: Parcel, resume: str) -> None:
        self._name, self._parcel, self._id = name, parcel, resume
        self._offset: int | None = None
        self._state: UploadState | None = None
        self._reconnects = Reconnects()

    @property
    def vector(self) -> VectorInfo | None:
        """What was stored; None while something is left to do."""
        return self._state.vector if self._state else None

    def call(self) -> Sending[UploadState]:
        """The next call."""
        if not self._id:
            return vector_calls.begin_upload(self._name, self._parcel)
        return vector_calls.go_on(self._id, self._parcel, self._offset)

    def take(self, state: UploadState) -> None:
        """Note an answer."""
        before = self._state.offset if self._state else -1
        if state.vector is None and self._offset is not None and state.offset <= before:
            raise ServerError(f"the upload stays at {state.offset} bytes")
        if state.offset > before:
            self._reconnects.progressed()
        self._state, self._id, self._offset = state, state.upload_id, state.offset

    def failed(self, error: SteerError) -> float:
        """Seconds until the next call after one failed. Raises Interrupted, or ``error``."""
        if error.reason == "UPLOAD_NOT_FOUND" and self._id:
            # It may be stored already, and only the answer was lost; beginning again tells.
            self._id, self._state = "", None
            return 0.0
        if not self._id:
            raise error
        self._offset = None
        try:
            return self._reconnects.pause(error)
        except SteerError:
            if not may_pass(error):
                raise
            raise Interrupted(error.message, self._id, error.request_id) from None


class Downloading:
    """One download into a folder that is not there yet: card.json and vector.safetensors.

    It arrives beside it, under a hidden name, where the next download goes on.
    """

    def __init__(self, info: VectorInfo, folder: str | Path) -> None:
        self._info, self._folder = info, new_path(folder)
        self._part = self._folder.with_name(f".{self._folder.name}.{info.digest[7:23]}.part")
        self._part.mkdir(parents=True, exist_ok=True)
        self._reconnects = Reconnects()
        self._header: pb.DownloadHeader | None = None
        self._file = open(self._part / TENSORS, "ab")

    @property
    def over(self) -> bool:
        """Whether all has arrived."""
        return self._header is not None and self._file.tell() == self._header.size

    def call(self) -> Call[pb.DownloadVectorResponse]:
        """The next call."""
        return vector_calls.download(self._info.address, self._file.tell())

    def take(self, message: pb.DownloadVectorResponse) -> None:
        """Note a message."""
        if message.HasField("header"):
            self._header = message.header
            return
        if message.piece.offset != self._file.tell():
            raise ServerError(f"a piece of {message.piece.offset} came at {self._file.tell()}")
        self._file.write(message.piece.data)
        self._reconnects.progressed()

    def failed(self, error: SteerError) -> float:
        """Seconds until the next call after one failed. Raises ``error``."""
        return self._reconnects.pause(error)

    def finish(self) -> VectorInfo:
        """Check what arrived and put it in place. Raises ServerError for something else."""
        assert self._header is not None
        self._file.close()
        card = self._header.card_json.encode()
        with open(self._part / TENSORS, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        digest = f"sha256:{hashlib.sha256(card).hexdigest()}"
        if (found, digest) != (self._header.sha256, self._info.digest):
            shutil.rmtree(self._part)
            raise ServerError("what arrived is not what was stored", reason="CHECKSUM")
        (self._part / CARD).write_bytes(card)
        os.rename(self._part, self._folder)
        return wire.parse_vector(self._header.vector)

    def close(self) -> None:
        """Leave off; the next download goes on."""
        self._file.close()


class Exporting:
    """Files of another program on their way to a path: one file there, or a folder of several."""

    def __init__(self, path: str | Path) -> None:
        self._path = new_path(path)
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self._part.mkdir(parents=True)
        self._sizes: dict[str, int] = {}
        self._notes: tuple[str, ...] = ()

    def take(self, message: pb.ExportVectorResponse) -> None:
        """Note a message."""
        match message.WhichOneof("message"):
            case "header":
                self._notes = tuple(message.header.notes)
            case "file":
                self._sizes[safe_path(message.file.path)] = message.file.size
                self._last.parent.mkdir(parents=True, exist_ok=True)
                self._last.touch()
            case "piece":
                with open(self._last, "ab") as file:
                    file.write(message.piece.data)

    @property
    def _last(self) -> Path:
        return self._part / list(self._sizes)[-1]

    def finish(self) -> Exported:
        """Put the files in place. Raises ServerError when some did not arrive."""
        short = [p for p, size in self._sizes.items() if (self._part / p).stat().st_size != size]
        if short or not self._sizes:
            raise ServerError(f"not all has arrived: {', '.join(short)}")
        if len(self._sizes) == 1:
            os.rename(self._last, self._path)
            return Exported((self._path,), self._notes)
        os.rename(self._part, self._path)
        return Exported(tuple(self._path / path for path in self._sizes), self._notes)

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._part, ignore_errors=True)


def new_path(path: str | Path) -> Path:
    """A path to write to. Raises InvalidRequest when something is there."""
    whole = Path(path).absolute()
    if whole.exists():
        raise InvalidRequest(f"{path} is there already; give a new path", reason="EXISTS")
    return whole
