"""VectorService: reads the store."""

import asyncio

import steer.v1 as pb
from steer import wire
from steer.server.interceptor import Context
from steer.server.named import named
from steer.server.paging import page_size
from steer.store import Store


class VectorService(pb.VectorServiceServicer):
    """Lists and shows stored vectors."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ListVectors(
        self, request: pb.ListVectorsRequest, context: Context
    ) -> pb.ListVectorsResponse:
        """A page of vectors, by name."""
        return await asyncio.to_thread(self._list, request)

    async def GetVector(
        self, request: pb.GetVectorRequest, context: Context
    ) -> pb.GetVectorResponse:
        """One vector with its card."""
        vector = await named("name", self._store.get, request.name)
        return pb.GetVectorResponse(vector=wire.build_vector(vector.info(), with_card=True))

    def _list(self, request: pb.ListVectorsRequest) -> pb.ListVectorsResponse:
        size = page_size(request)
        # The token is the last name given, so that pages stay right while vectors come and go.
        found = self._store.page(
            request.page_token,
            size + 1,
            model=request.model,
            kind=request.kind,
            method=request.method,
        )
        page, more = found[:size], found[size:]
        return pb.ListVectorsResponse(
            vectors=[wire.build_vector(info, with_card=False) for info in page],
            next_page_token=page[-1].name if more else "",
        )
