"""parse(build(x)) == x, for every x, through real bytes."""

from collections.abc import Callable
from typing import Any

import pytest
import run_strategies as r
import wire_strategies as s
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steer import wire

BOTH_WAYS: dict[str, tuple[st.SearchStrategy[Any], Callable[..., Any], Callable[..., Any]]] = {
    "prompt": (s.prompts, wire.build_prompt, wire.parse_prompt),
    "arm": (s.arms, wire.build_arm, wire.parse_arm),
    "intervention": (s.interventions, wire.build_intervention, wire.parse_intervention),
    "trial": (s.trials, wire.build_trial, wire.parse_trial),
    "score": (s.scores, wire.build_score, wire.parse_score),
    "capture": (s.captures, wire.build_capture, wire.parse_capture),
    "recipe": (s.recipes, wire.build_recipe, wire.parse_recipe),
    "started": (s.started, wire.build_started, wire.parse_started),
    "chunk": (s.chunks, wire.build_chunk, wire.parse_chunk),
    "finished": (s.finished, wire.build_finished, wire.parse_finished),
    "branches": (s.branches, wire.build_branches, wire.parse_branches),
    "measurement": (s.measurements, wire.build_measurement, wire.parse_measurement),
    "scored_arm": (s.scored_arms, wire.build_scored_arm, wire.parse_scored_arm),
    "activations": (s.activations(), wire.build_activations, wire.parse_activations),
    "features": (s.features, wire.build_features, wire.parse_features),
    "held": (s.held, wire.build_held, wire.parse_held),
    "model": (s.models, wire.build_model, wire.parse_model),
    "run_spec": (r.run_specs, wire.build_run_spec, wire.parse_run_spec),
    "run": (r.runs, wire.build_run, wire.parse_run),
    "event": (r.events, wire.build_event, wire.parse_event),
    "report": (r.reports, wire.build_report, wire.parse_report),
    "vector": (s.vectors, lambda v: wire.build_vector(v, with_card=True), wire.parse_vector),
    "statistics": (s.statistics, wire.build_statistics, wire.parse_statistics),
    "removed": (s.removals, wire.build_removed, wire.parse_removed),
    "store_report": (s.store_reports, wire.build_store_report, wire.parse_store_report),
    "import_options": (s.import_options, wire.build_import_options, wire.parse_import_options),
    "account": (s.accounts, wire.build_account, wire.parse_account),
}


@pytest.mark.parametrize("kind", BOTH_WAYS)
def test_round_trip(kind: str) -> None:
    strategy, build, parse = BOTH_WAYS[kind]

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def holds(value: Any) -> None:
        message = build(value)
        assert parse(type(message).FromString(message.SerializeToString())) == value

    holds()


@given(s.chunks, s.finished)
@settings(max_examples=50, deadline=None)
def test_row(chunk: Any, finished: Any) -> None:
    got, end = wire.parse_row(wire.build_row(chunk, finished))
    assert (got, end) == (chunk, finished)


@given(s.vectors)
@settings(max_examples=20, deadline=None)
def test_a_vector_without_its_card(vector: Any) -> None:
    assert wire.parse_vector(wire.build_vector(vector, with_card=False)).card == {}
