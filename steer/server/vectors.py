"""VectorService: thin handlers over the store."""

import asyncio
from collections.abc import AsyncIterator, Callable

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest
from steer.server import downloads, imports, uploads
from steer.server.core import Core
from steer.server.interceptor import Context
from steer.server.named import named
from steer.server.paging import name_before, page_of, page_size
from steer.server.statistics import check_count, sizes, with_nearest, with_tokens
from steer.store import Store
from steer.store.address import check_name
from steer.store.combine import combine


class VectorService(pb.VectorServiceServicer):
    """Keeps stored vectors and dictionaries. Only what needs the model waits until it is loaded.

    ``ready`` gives the loaded model or raises Unavailable. ``most``: bytes of one upload.
    """

    def __init__(self, store: Store, ready: Callable[[], Core], most: int) -> None:
        self._store, self._ready, self._most = store, ready, most

    async def ListVectors(
        self, request: pb.ListVectorsRequest, context: Context
    ) -> pb.ListVectorsResponse:
        """A page of vectors, by name."""
        return await asyncio.to_thread(self._list, request)

    async def GetVector(
        self, request: pb.GetVectorRequest, context: Context
    ) -> pb.GetVectorResponse:
        """One vector with its card and statistics."""
        for field in ("nearest", "tokens"):
            check_count(getattr(request, field), field)
        return await named("name", self._get, request)

    async def ListVectorVersions(
        self, request: pb.ListVectorVersionsRequest, context: Context
    ) -> pb.ListVectorVersionsResponse:
        """The versions of a name."""
        versions = await named("name", self._versions, request.name)
        return pb.ListVectorVersionsResponse(versions=versions)

    async def UploadVector(
        self, requests: AsyncIterator[pb.UploadVectorRequest], context: Context
    ) -> pb.UploadVectorResponse:
        """Receive a card and a tensor file."""
        return await uploads.receive(self._store, self._most, requests)

    async def DownloadVector(
        self, request: pb.DownloadVectorRequest, context: Context
    ) -> AsyncIterator[pb.DownloadVectorResponse]:
        """Send a card and a tensor file."""
        async for message in downloads.download(self._store, request):
            yield message

    async def DeleteVector(
        self, request: pb.DeleteVectorRequest, context: Context
    ) -> pb.DeleteVectorResponse:
        """Delete a version or a name."""
        return wire.build_removed(await named("name", self._store.delete, request.name))

    async def ImportVector(
        self, requests: AsyncIterator[pb.ImportVectorRequest], context: Context
    ) -> pb.ImportVectorResponse:
        """Receive files of another program."""
        return await imports.receive(self._store, self._ready, self._most, requests)

    async def ExportVector(
        self, request: pb.ExportVectorRequest, context: Context
    ) -> AsyncIterator[pb.ExportVectorResponse]:
        """Send files of another program."""
        async for message in downloads.export(self._store, request):
            yield message

    async def CombineVectors(
        self, request: pb.CombineVectorsRequest, context: Context
    ) -> pb.CombineVectorsResponse:
        """Store what an expression comes to."""
        await named("name", check_name, request.name)
        asked = (request.name, request.expression, request.description)
        version = await named("expression", combine, self._store, *asked)
        info = await named("name", self._store.info, f"{version.name}@{version.number}")
        return pb.CombineVectorsResponse(vector=wire.build_vector(info, with_card=True))

    async def VerifyVectors(
        self, request: pb.VerifyVectorsRequest, context: Context
    ) -> pb.VerifyVectorsResponse:
        """Read everything."""
        return wire.build_store_report(await asyncio.to_thread(self._store.verify))

    def _list(self, request: pb.ListVectorsRequest) -> pb.ListVectorsResponse:
        size = page_size(request)
        # The token is the last name given, so that pages stay right while vectors come and go.
        found = self._store.page(
            name_before(request),
            size + 1,
            model=request.model,
            kind=request.kind,
            method=request.method,
        )
        vectors = [wire.build_vector(info, with_card=False) for info in found[:size]]
        page, token = page_of(vectors, [info.name for info in found])
        return pb.ListVectorsResponse(vectors=page, next_page_token=token)

    def _get(self, request: pb.GetVectorRequest) -> pb.GetVectorResponse:
        info = self._store.info(request.name)
        statistics = sizes(info)
        if request.nearest or request.tokens:
            item = self._store.get(info.address)
            if request.nearest:
                statistics = with_nearest(self._store, info, item, request.nearest, statistics)
            if request.tokens:
                statistics = with_tokens(self._ready, info, item, request.tokens, statistics)
        return pb.GetVectorResponse(
            vector=wire.build_vector(info, with_card=True),
            statistics=map(wire.build_statistics, statistics),
        )

    def _versions(self, name: str) -> list[pb.Vector]:
        if "@" in name:
            raise InvalidRequest(f"{name!r} is a version, want a name", reason="BAD_NAME")
        found = self._store.versions(name)
        infos = (self._store.info(f"{version.name}@{version.number}") for version in found)
        return [wire.build_vector(info, with_card=False) for info in infos]
