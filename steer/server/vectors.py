"""VectorService: reads the store."""

import asyncio

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest, SteerError, Violation
from steer.server.interceptor import Context
from steer.store import Store

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000


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
        try:
            vector = await asyncio.to_thread(self._store.get, request.name)
        except SteerError as error:
            error.violations = (Violation("name", error.reason, error.message),)
            raise
        return pb.GetVectorResponse(vector=wire.build_vector(vector.info(), with_card=True))

    def _list(self, request: pb.ListVectorsRequest) -> pb.ListVectorsResponse:
        size = request.page_size if request.HasField("page_size") else DEFAULT_PAGE
        if not 1 <= size <= LARGEST_PAGE:
            message = f"is {size}; give 1 to {LARGEST_PAGE}"
            violation = Violation("page_size", "OUT_OF_RANGE", message)
            raise InvalidRequest(str(violation), violations=[violation])
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
