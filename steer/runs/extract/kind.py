"""The kind ``extract``: two classes of texts → a direction at each site, with a full card."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from steer.runs.extract.checks import after_blocks, check, judged, sites_of
from steer.runs.extract.examples import Examples
from steer.runs.extract.gather import gather
from steer.runs.extract.layout import Layout, Piece, layout_of
from steer.runs.extract.making import make
from steer.runs.extract.norms import residual_norms
from steer.runs.extract.report import report, rows, warnings
from steer.runs.extract.spool import Spool
from steer.runs.extract.steering import steers
from steer.runs.extract.storing import stored
from steer.runs.kind import Context, Json, Unit
from steer.specs import ExtractSpec
from steer.types import Where

STORE = "store"
"""Key of the last unit."""


class Extract:
    """See ``steer.runs.kind.Kind``."""

    name = ExtractSpec.kind

    def check(self, spec: ExtractSpec, context: Context) -> None:
        """Judge a spec."""
        check(spec, context)

    def units(self, spec: ExtractSpec, context: Context) -> Sequence[Unit]:
        """The pieces that are read, then one that makes the directions and stores them."""
        layout = layout_of(spec, judged(spec, context))
        return [*(Unit(_key(piece)) for piece in layout.pieces), Unit(STORE)]

    def execute(
        self, spec: ExtractSpec, units: Sequence[Unit], context: Context
    ) -> Iterator[tuple[Unit, Json]]:
        """Read the pieces that are not on disk, and store what comes of all of them."""
        examples, sites = judged(spec, context), sites_of(spec, context)
        layout = layout_of(spec, examples)
        spool = Spool(context.store, _digest(spec, context), len(sites), context.model.d_model)
        spool.open()
        wanted = {unit.key: unit for unit in units}
        there = [piece for piece in layout.pieces if spool.has(piece)]
        # Also pieces with a result: what another server read is not on this one's disk.
        missing = [piece for piece in layout.pieces if not spool.has(piece)]
        for pieces in (there, gather(missing, layout, spool, sites, context)):
            for piece in pieces:
                if _key(piece) in wanted:
                    yield wanted[_key(piece)], _told(piece)
        if STORE in wanted:
            yield wanted[STORE], _stored(spec, examples, layout, spool, context)
            spool.remove()

    def report(self, spec: ExtractSpec, results: Mapping[str, Json]) -> Json:
        """The report so far."""
        return report(results, STORE)


def _stored(
    spec: ExtractSpec, examples: Examples, layout: Layout, spool: Spool, context: Context
) -> Json:
    sites = sites_of(spec, context)
    made = list(make(spec, layout, spool, sites))
    wanted = sorted({*sites, *after_blocks(context)})
    norms = residual_norms(examples, wanted, spec.where or Where(), context)
    steered = steers(spec, examples, made, context)
    version = stored(spec, examples, made, norms, steered, context)
    found = list(rows(made, norms))
    counts = (len(examples.positive), len(examples.negative))
    return {
        "records": found,
        "stored": {
            "name": version.name,
            "address": version.address,
            "method": version.card.method,
            "card": version.card.to_dict(),
        },
        **({"steers": steered} if steered else {}),
        "warnings": warnings(spec, counts, found, steered),
    }


def _told(piece: Piece) -> Json:
    groups = sum(len(one.groups) for one in piece.examples)
    return {"records": [], "read": {"texts": len(piece.examples), "rows": groups}}


def _key(piece: Piece) -> str:
    return f"read-{piece.number}"


def _digest(spec: ExtractSpec, context: Context) -> str:
    """Of everything that what is read depends on."""
    told = repr((spec, context.model.fingerprint, context.model.dtype))
    return hashlib.sha256(told.encode()).hexdigest()[:32]
