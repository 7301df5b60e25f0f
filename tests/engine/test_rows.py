"""Rows: which of them may hold what is no number."""

import time

from steer.engine.rows import Job, prepare
from steer.types import FinishReason, Phase, Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, vector

IDS = prompt(1, 6)
STEER = edit("add", {Site(1): vector(2)}, phase=Phase.DECODE)


def test_a_row_is_suspect_until_its_logits_were_read():
    """What it leaves in its slot when it moves would reach the next row there."""
    asked = plan(baseline(IDS), arm("steered", IDS, STEER))
    job = Job(asked, lambda events: None, 256, time.time())
    prepare(job)
    for row in (*job.rows, *(prefix.row for prefix in job.prefixes)):
        row.computed = len(IDS) - 1
        assert row.suspect
    row = job.rows[0]
    row.computed = len(IDS)
    assert not row.suspect
    row.finish = FinishReason.LENGTH
    assert not row.suspect
    row.finish = FinishReason.DIVERGED
    assert row.suspect
