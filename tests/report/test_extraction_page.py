"""The page of an extraction, before there is a vector too."""

from dataclasses import replace

from steer.report.extraction_page import extraction_page
from steer.specs import ExtractSpec, ReadAt
from steer.types import Point, Site
from tests.report.reader import HOSTILE, read
from tests.runs.conftest import context, planner, running, store
from tests.runs.extract.conftest import extracted, passages

__all__ = ["context", "planner", "running", "store"]
SITES = (Site(2), Site(0), Site(1, Point.MLP_OUT))
POSITIVE, NEGATIVE = (
    tuple(replace(one, answer=f"t9 {said} t7") for one in passages(6, 40)) for said in ("t5", "t6")
)
SPEC = ExtractSpec("made", POSITIVE, NEGATIVE, sites=SITES, paired=True, read_at=ReadAt.ANSWER)


def test_it_has_every_site_the_curves_and_what_it_does(context):
    report = extracted(SPEC, context).report
    page = read(extraction_page(report, "x"))
    assert not {"script", "link", "img"} & set(page.elements)
    for words in (
        *("run x", "12 texts", report["address"], "a class has 6 texts", *map(str, SITES)),
        *("resid_post", "halves agree", "separation", f"{report['steers']['steerability']:+.3g}"),
    ):
        assert words in page.text
    # A point with a single layer has no curve.
    assert "layer · resid_post" in page.text and "layer · mlp_out" not in page.text
    hostile = report | {"name": HOSTILE, "warnings": [HOSTILE]}
    assert not {"script", "img"} & set(read(extraction_page(hostile)).elements)


def test_one_site_without_pairs_is_a_table(context):
    spec = replace(SPEC, sites=(), paired=False, positive=POSITIVE[:1], negative=NEGATIVE[:1])
    report = extracted(spec, context).report
    report["table"] = report["table"][:1]
    page = read(extraction_page(report))
    assert "Every site" in page.text and "svg" not in page.elements
    assert "What adding it does" not in page.text


def test_before_a_vector_is_stored_it_says_what_was_read():
    assert "7 texts" in read(extraction_page({"texts": 7, "rows": 7})).text
