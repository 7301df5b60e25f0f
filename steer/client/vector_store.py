"""The store of vectors behind a client."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from steer.client import parcels, vector_calls
from steer.client.imports import ImportOptions, importing
from steer.client.parcels import Source
from steer.client.transfers import Downloading, Exporting, Uploading
from steer.client.vector_calls import Exported, Imported
from steer.errors import SteerError
from steer.types import Removed, StoreReport, VectorInfo

if TYPE_CHECKING:
    from steer.client.client import Client


class Vectors:
    """Stored vectors and dictionaries. Addresses are ``name`` (the newest version), ``name@2`` and
    ``name@sha256:…``."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def list(
        self,
        *,
        model: str = "",
        kind: str = "",
        method: str = "",
        timeout: float | None = None,
    ) -> Iterator[VectorInfo]:
        """Stored vectors by name, without their cards; pages are fetched as they are needed."""
        token, more = "", True
        while more:
            page = vector_calls.page(token, model, kind, method)
            vectors, token = self._client._unary(page, timeout)
            yield from vectors
            more = bool(token)

    def get(
        self, name: str, *, nearest: int = 0, tokens: int = 0, timeout: float | None = None
    ) -> VectorInfo:
        """One stored vector with its card and statistics. Raises NotFound.

        ``nearest``: how many stored vectors of the largest cosine to name at each site; ``tokens``:
        how many tokens at each end of the logit lens of the served model. Both are for directions
        and probes.
        """
        return self._client._unary(vector_calls.get(name, nearest, tokens), timeout)

    def versions(self, name: str, *, timeout: float | None = None) -> tuple[VectorInfo, ...]:
        """The versions of a name that were not deleted, oldest first. Raises NotFound."""
        return self._client._unary(vector_calls.versions(name), timeout)

    def upload(
        self,
        name: str,
        source: Source,
        *,
        card: Mapping[str, Any] | None = None,
        resume: str = "",
        timeout: float | None = None,
    ) -> VectorInfo:
        """Store a vector or dictionary as the newest version of a name.

        ``source``: a folder with card.json and vector.safetensors, as ``download`` makes it; or
        {layer or site: array of shape (d_model,)}, a direction for the served model unless ``card``
        has a ``model``. ``card``: fields of the card, in place of those there. A connection that
        breaks is waited for; when it does not come back, Interrupted says how to go on with
        ``resume``. ``timeout`` is of each connection.
        """
        given = dict(card or {})
        if isinstance(source, Mapping):
            asked = "model" not in given
            served = self._client.model(timeout=timeout) if asked else None
            parcel = parcels.of_arrays(source, given, served)
        else:
            parcel = parcels.of_folder(source, given)
        upload = Uploading(name, parcel, resume)
        while upload.vector is None:
            try:
                upload.take(self._client._send(upload.call(), timeout))
            except SteerError as error:
                time.sleep(upload.failed(error))
        return upload.vector

    def download(
        self, name: str, folder: str | Path, *, timeout: float | None = None
    ) -> VectorInfo:
        """Write a stored vector to a new folder: its card.json and vector.safetensors, checked.

        What an interrupted download left beside the folder is gone on with. ``timeout`` is of each
        connection.
        """
        download = Downloading(self.get(name, timeout=timeout), folder)
        try:
            while not download.over:
                try:
                    for message in self._client._messages(download.call(), timeout):
                        download.take(message)
                except SteerError as error:
                    time.sleep(download.failed(error))
            return download.finish()
        finally:
            download.close()

    def delete(self, name: str, *, timeout: float | None = None) -> Removed:
        """Delete one version, or all versions of a name. Those that runs refer to are kept, and
        found by their hash alone. Raises NotFound."""
        return self._client._unary(vector_calls.delete(name), timeout)

    def import_(
        self,
        source: str | Path | Mapping[str, bytes],
        name: str = "",
        *,
        timeout: float | None = None,
        **options: Unpack[ImportOptions],
    ) -> Imported:
        """Read files of another program (a path of this machine, or bytes by name), and store what
        is in them. Prints as what was understood of them. For the options see ``ImportOptions``."""
        return self._client._send(importing(source, name, options), timeout)

    def export(
        self, name: str, format: str, path: str | Path, *, timeout: float | None = None
    ) -> Exported:
        """Write a stored vector in a format of others to a new path: a file (``gguf``,
        ``safetensors``) or a folder (``saelens``)."""
        exporting = Exporting(path)
        try:
            for message in self._client._messages(vector_calls.export(name, format), timeout):
                exporting.take(message)
            return exporting.finish()
        finally:
            exporting.close()

    def combine(
        self, name: str, expression: str, *, description: str = "", timeout: float | None = None
    ) -> VectorInfo:
        """Store what an expression of stored vectors comes to (``"think - 0.5*hedge"``,
        ``"mean(a, b)"``, ``"orthogonal_to(a, b)"``). Its card names the parents by their hashes."""
        return self._client._unary(vector_calls.combine(name, expression, description), timeout)

    def verify(self, *, timeout: float | None = None) -> StoreReport:
        """Let the server read everything that is stored, and say what is damaged."""
        return self._client._unary(vector_calls.verify(), timeout)
