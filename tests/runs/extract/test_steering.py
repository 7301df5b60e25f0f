"""Whether pairs can be steered, against plain hooks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from steer.runs.background import Background
from steer.specs import ExtractSpec, ReadAt
from steer.store import Vector
from steer.types import Phase, Site, Where
from tests.helpers import network, reference
from tests.runs.extract.conftest import extracted, passages

SPEC = ExtractSpec("made", passages(5, 40), passages(5, 60), paired=True)


def log_odds(prompt: tuple[int, ...], tokens: tuple[int, int], at: Site, change: np.ndarray):
    """Of the next token, with a change at every token but the first, which is special."""
    edits = {at: lambda h: h + torch.from_numpy(change)}
    _, logits = reference(network(), prompt, 1, edits, lambda place, length: place > 0)
    return float(logits[0, tokens[0]] - logits[0, tokens[1]])


def test_slopes_are_those_of_the_log_odds_where_answers_part(context: Background):
    positive, negative = (
        tuple(replace(one, answer=f"t9 {said} t7") for one in passages(5, 40))
        for said in ("t5", "t6")
    )
    spec = replace(SPEC, positive=positive, negative=negative, read_at=ReadAt.ANSWER)
    report = extracted(spec, context).report
    made = context.store.get("made")
    assert isinstance(made, Vector)
    at = Site.parse(report["steers"]["site"])
    want = []
    for one in positive:
        prompt = (*one.prompt.token_ids, 9)
        up, down = (log_odds(prompt, (5, 6), at, sign * made.tensors[at]) for sign in (1, -1))
        want.append((up - down) / 2)
    assert report["steers"]["slopes"] == pytest.approx(want, abs=1e-3)
    assert report["steers"]["anti_steerable"] == sum(slope < 0 for slope in want) / 5


def test_prompts_are_told_apart_by_what_follows_them(context: Background):
    report = extracted(replace(SPEC, where=Where(phase=Phase.DECODE)), context).report
    firsts = [
        [reference(network(), one.prompt.token_ids, 1)[0][0] for one in texts]
        for texts in (SPEC.positive, SPEC.negative)
    ]
    different = sum(up != down for up, down in zip(*firsts, strict=True))
    assert report["steers"]["n"] == different > 0


def test_single_texts_have_no_sides(context: Background):
    assert "steers" not in extracted(replace(SPEC, paired=False), context).report
