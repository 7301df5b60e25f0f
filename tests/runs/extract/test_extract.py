"""Extraction from end to end, against plain hooks and hand-written loops."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from steer.engine.embedded.engine import EmbeddedEngine
from steer.errors import FailedPrecondition
from steer.intervene.sites import visiting
from steer.runs.background import Background
from steer.runs.extract import layout, spool
from steer.runs.extract.kind import STORE, Extract
from steer.runs.extract.report import warnings
from steer.specs import ExtractMethod, ExtractSpec, Pooling, ReadAt
from steer.store import Probe, Store, Vector
from steer.types import (
    Add,
    Arm,
    Intervention,
    Phase,
    Point,
    Prompt,
    Sampling,
    Site,
    Stored,
    Trial,
    Where,
)
from tests.helpers import network
from tests.runs.extract.conftest import extracted, passage, passages

POSITIVE, NEGATIVE = passages(12, 40), passages(9, 60)
SPEC = ExtractSpec("made", POSITIVE, NEGATIVE)
SITES = (Site(0), Site(2), Site(1, Point.MLP_OUT))


def hooked(ids: tuple[int, ...], site: Site) -> np.ndarray:
    """Activations (tokens, d_model) by a plain hook, one text at a time."""
    seen = {}
    with torch.no_grad(), visiting(NETWORK, {site: lambda h: seen.setdefault(0, h.clone())}):
        NETWORK(torch.tensor([ids]), use_cache=False)
    return seen[0][0].double().numpy()


NETWORK = network()


def mean_difference(spec: ExtractSpec, site: Site, rows) -> np.ndarray:
    """The reference: ``rows`` takes (activations, passage) and gives the rows of a text."""
    means = []
    for texts in (spec.positive, spec.negative):
        found = [row for one in texts for row in rows(hooked(one.prompt.token_ids, site), one)]
        means.append(np.mean(found, axis=0))
    return means[0] - means[1]


def vector(context: Background, name: str = "made") -> Vector:
    found = context.store.get(name)
    assert isinstance(found, Vector)
    return found


def test_difference_of_means_equals_plain_hooks(context: Background):
    done = extracted(replace(SPEC, sites=SITES), context)
    made = vector(context)
    assert set(made.tensors) == set(SITES)
    for site in SITES:
        want = mean_difference(SPEC, site, lambda h, _: [h[-1]])
        np.testing.assert_allclose(made.tensors[site], want, atol=1e-5)
    assert [unit.key for unit in done.units] == ["read-0", "read-1", STORE]
    assert done.report["texts"] == done.report["rows"] == 21


@pytest.mark.parametrize(
    ("pooling", "read_at", "rows"),
    [
        (Pooling.MEAN, ReadAt.PROMPT, lambda h, _: [h[1:].mean(0)]),
        (Pooling.TOKEN, ReadAt.ALL, lambda h, _: list(h[1:])),
        (Pooling.TOKEN, ReadAt.SPANS, lambda h, one: list(h[[1, 2, 4]])),
    ],
)
def test_what_is_read_is_what_is_asked_for(context: Background, pooling, read_at, rows):
    """Token 0 is <bos>, which is special."""
    spans = ((0, 3), (4, 5))
    positive, negative = (tuple(replace(p, spans=spans) for p in s) for s in (POSITIVE, NEGATIVE))
    spec = replace(SPEC, positive=positive, negative=negative, pooling=pooling, read_at=read_at)
    extracted(spec, context)
    for site in (Site(0), Site(2)):
        want = mean_difference(spec, site, rows)
        np.testing.assert_allclose(vector(context).tensors[site], want, atol=1e-5)


def test_answers_and_events_are_found(context: Background):
    """The event begins in the second of the answer's tokens; the one before it is read."""
    positive = tuple(replace(one, answer="t7 t8 t9") for one in POSITIVE)
    negative = tuple(replace(one, answer="t5 t8 t9") for one in NEGATIVE)
    spec = replace(SPEC, positive=positive, negative=negative)
    extracted(replace(spec, read_at=ReadAt.EVENT, event="t8 t9", offset=-1), context)
    before = vector(context).tensors[Site(1)]
    extracted(replace(spec, read_at=ReadAt.ANSWER), context)
    whole = vector(context).tensors[Site(1)]
    means = {}
    for name, texts, first in (("+", POSITIVE, 7), ("-", NEGATIVE, 5)):
        found = [hooked((*one.prompt.token_ids, first, 8, 9), Site(1))[-3:] for one in texts]
        means[name] = np.mean(found, axis=0)
    np.testing.assert_allclose(before, means["+"][0] - means["-"][0], atol=1e-5)
    np.testing.assert_allclose(whole, (means["+"] - means["-"]).mean(0), atol=1e-5)


@pytest.mark.parametrize("method", ExtractMethod)
@pytest.mark.parametrize("paired", [True, False])
def test_every_method_says_what_it_made(context: Background, method, paired):
    spec = replace(
        SPEC,
        negative=passages(12, 60),
        method=method,
        paired=paired,
        description="a direction",
        licence="CC0-1.0",
        where=Where(phase=Phase.DECODE),
        scale=2.0,
        normalise=True,
    )
    report = extracted(spec, context).report
    made = vector(context)
    for site, tensor in made.tensors.items():
        assert np.linalg.norm(tensor) == pytest.approx(2, abs=1e-5)
        assert len(made.classes[site].factor) == 22
    card = made.card
    assert (card.method, card.licence) == (method.value, "CC0-1.0")
    assert card.where == Where(phase=Phase.DECODE)
    assert card.parameters["paired"] is paired and "used_splits" not in card.parameters
    assert set(card.residual_norms) == {Site(0), Site(1), Site(2)}
    for site in made.tensors:
        told = card.measured["sites"][str(site)]
        assert -1 <= told["split_half_cosine"] <= 1
        assert 0 <= told["anti_steerable"] <= 1
        assert 0 < told["explained_variance"] <= 1
    assert report["address"].startswith("made@sha256:")
    assert [row["site"] for row in report["table"]] == [str(Site(i)) for i in range(3)]
    assert "a class has 12 texts" in report["warnings"][0]
    json.dumps(report, allow_nan=False)


def test_what_is_made_steers_at_once(context: Background, running: EmbeddedEngine):
    extracted(SPEC, context)
    arm = Arm("steered", (Intervention(Add(Stored("made")), must_fire=True),))
    trial = Trial(Prompt(token_ids=(1, 9, 8)), (arm,), sampling=Sampling(max_tokens=4))
    [(_, answer)] = context.answers([(0, context.planner.trial(trial, ""))])
    receipts = answer.rows[1][1].receipts
    assert {one.site for one in receipts} == {Site(0), Site(1), Site(2)}
    assert all(one.mean_change > 0 for one in receipts)


def test_norms_are_of_the_positions_where_it_acts(context: Background):
    """Of a prompt whose first token is special, and of the answer that is given."""
    negative = tuple(replace(one, answer="t5 t8 t9") for one in NEGATIVE)
    positive = tuple(replace(one, answer="t5 t8 t9") for one in POSITIVE)
    spec = replace(SPEC, positive=positive, negative=negative)
    for phase, of in ((Phase.ALL, slice(1, -1)), (Phase.DECODE, slice(-4, -1))):
        extracted(replace(spec, where=Where(phase=phase)), context)
        for site, norm in vector(context).card.residual_norms.items():
            rows = [hooked((*one.prompt.token_ids, 5, 8, 9), site)[of] for one in NEGATIVE]
            want = np.linalg.norm(np.concatenate(rows), axis=1).mean()
            assert norm == pytest.approx(want, abs=1e-3)


def test_the_first_position_counts_for_no_norm(context: Background):
    """Models park attention there, whatever token it is."""
    positive, negative = (
        tuple(passage(one.prompt.token_ids[1:]) for one in texts) for texts in (POSITIVE, NEGATIVE)
    )
    where = Where(phase=Phase.PROMPT)
    extracted(replace(SPEC, positive=positive, negative=negative, where=where), context)
    rows = [hooked(one.prompt.token_ids, Site(1))[1:] for one in negative]
    want = np.linalg.norm(np.concatenate(rows), axis=1).mean()
    assert vector(context).card.residual_norms[Site(1)] == pytest.approx(want, abs=1e-3)


def test_a_probe_can_be_stored(context: Background):
    spec = replace(SPEC, method=ExtractMethod.PROBE, as_probe=True, sites=(Site(1),))
    extracted(spec, context)
    made = context.store.get("made")
    assert isinstance(made, Probe)
    weights, bias = made.sites[Site(1)].weight, made.sites[Site(1)].bias
    for texts, sign in ((POSITIVE, 1), (NEGATIVE, -1)):
        rows = [hooked(one.prompt.token_ids, Site(1))[-1] for one in texts]
        assert (sign * (np.array(rows) @ weights + bias) > 0).all()


def test_a_sample_is_kept_of_much_data(context: Background, monkeypatch: pytest.MonkeyPatch):
    extracted(SPEC, context)
    whole = vector(context)
    monkeypatch.setattr(layout, "KEPT", 4)
    extracted(replace(SPEC, into="sampled"), context)
    part = vector(context, "sampled")
    for site in whole.tensors:
        np.testing.assert_array_equal(whole.tensors[site], part.tensors[site])
        assert len(part.classes[site].factor) == 6


# ---- resuming -----------------------------------------------------------------------------------


def test_what_was_read_before_a_kill_is_not_read_again(
    context: Background, store: Store, monkeypatch: pytest.MonkeyPatch
):
    kind, read = Extract(), 0
    spec = replace(SPEC, positive=passages(30, 40), negative=passages(30, 60))
    units = kind.units(spec, context)
    assert len(units) == 5
    whole = extracted(replace(spec, into="whole"), context)

    results = kind.execute(spec, units, context)
    done = dict(next(results) for _ in range(2))
    results.close()
    submit = context.engine.submit

    def counting(plan, sink):
        nonlocal read
        submit(plan, sink)
        read += 1

    monkeypatch.setattr(context.engine, "submit", counting)
    left = [unit for unit in units if unit not in done]
    done |= dict(kind.execute(spec, left, context))
    # Two pieces of eight pairs at most were still to be read, and what it acts on.
    assert read <= 2 * 16 + 30
    assert set(done) == set(units)
    assert vector(context).content_hash == vector(context, "whole").content_hash
    assert not any((Path(str(store.root)) / ".runs/extract").iterdir())
    assert whole.report["table"] == done[units[-1]]["records"]


def test_a_server_without_the_files_reads_again(context: Background, store: Store):
    import shutil

    kind = Extract()
    units = kind.units(SPEC, context)
    results = kind.execute(SPEC, units, context)
    first = next(results)
    results.close()
    shutil.rmtree(Path(str(store.root)) / ".runs")
    done = dict(kind.execute(SPEC, [unit for unit in units if unit != first[0]], context))
    extracted(replace(SPEC, into="whole"), context)
    assert set(done) | {first[0]} == set(units)
    assert vector(context).content_hash == vector(context, "whole").content_hash


def test_what_nobody_came_back_for_goes(context: Background, store: Store):
    place = Path(str(store.root)) / ".runs/extract"
    for name, age in (("old", spool.ABANDONED + 60), ("new", 60)):
        (place / name / "0").mkdir(parents=True)
        os.utime(place / name, (time.time() - age,) * 2)
    extracted(SPEC, context)
    assert [folder.name for folder in place.iterdir()] == ["new"]


def test_a_store_that_can_not_be_written_is_told_before_anything_is_read(
    context: Background, store: Store
):
    Path(str(store.root)).mkdir(exist_ok=True)
    (Path(str(store.root)) / ".runs").write_text("in the way")
    kind = Extract()
    units = kind.units(SPEC, context)
    with pytest.raises(FailedPrecondition, match="can not be kept") as caught:
        next(kind.execute(SPEC, units, context))
    assert caught.value.reason == "STORE_NOT_WRITABLE"


# ---- what goes wrong in the middle --------------------------------------------------------------


def test_activations_that_are_no_numbers_end_the_run(context: Background, running: EmbeddedEngine):
    weight = running._model.network.model.layers[1].post_attention_layernorm.weight
    kept = weight.clone()
    with torch.inference_mode():
        weight.fill_(float("nan"))
    try:
        with pytest.raises(FailedPrecondition, match=r"resid_post\.1 .* positive text 0") as caught:
            extracted(replace(SPEC, sites=(Site(1),)), context)
    finally:
        with torch.inference_mode():
            weight.copy_(kept)
    assert caught.value.reason == "NOT_FINITE"
    assert not context.store.names()


def test_classes_with_the_same_mean_have_no_direction(context: Background):
    """Position 0 sees nothing but itself, so only what stands behind it differs; not identical
    texts, but identical activations in a different share."""
    spans = {"spans": ((1, 2),)}
    positive = tuple(passage([1, 9, i], **spans) for i in (10, 11))
    negative = tuple(passage([1, 9, i], **spans) for i in (12, 13, 14))
    spec = ExtractSpec("made", positive, negative, read_at=ReadAt.SPANS)
    with pytest.raises(FailedPrecondition, match="means of the classes are the same"):
        extracted(spec, context)


def test_halves_that_were_not_compared_are_not_said_to_disagree():
    told = warnings(ExtractSpec("x"), (1, 1), [{"residual_norm": 1.0}], None)
    assert told == ["a class has 1 text; 30 or more say how reliable it is"]
