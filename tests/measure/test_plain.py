import json
import math

import pandas as pd
import pytest

from steer.measure.plain import COLUMNS, as_json, plain, rows
from steer.measure.records import MeasuredArm, Role
from steer.measure.summary import summarise
from steer.measure.verdict import verdicts
from tests.measure.made import record, records, standard, thinking

ARMS = standard(thinking(0.7))
SUMMARY = summarise(records(ARMS, 40, 8), [one.arm for one in ARMS], choices=10, draws=100)


def test_it_is_json() -> None:
    report = as_json(SUMMARY, verdicts(SUMMARY))
    text = json.dumps(report, allow_nan=False)
    assert json.loads(text) == report
    assert set(report) == {"summary", "verdicts", "table"}
    (verdict,) = report["verdicts"]
    assert set(verdict) == {"arm", "outcome", "because", "findings", "missing", "cautions"}
    for finding in verdict["findings"]:
        assert set(finding) == {"rule", "arms", "holds", "says", "numbers"}


def test_keys_others_read() -> None:
    """Changing one of these breaks the report, the SDK, and everyone's notebooks."""
    summary = plain(SUMMARY)
    assert set(summary) == {
        "items",
        "retention_items",
        "clusters",
        "arms",
        "effects",
        "families",
        "gains",
        "empty",
        "warnings",
    }
    arm = summary["arms"][1]
    assert set(arm) == {
        "arm",
        "items",
        "samples",
        "answered",
        "accuracy",
        "against_baseline",
        "recovery",
        "modes",
        "passes",
        "coverage",
        "by_sample",
        "traces",
        "texts",
        "drift",
        "retention",
        "retention_against_baseline",
    }
    assert set(arm["against_baseline"]) == {
        "n",
        "clusters",
        "value",
        "se",
        "low",
        "high",
        "p",
        "p_holm",
        "test",
    }
    assert set(summary["effects"][0]) == {
        "arm",
        "begun",
        "steps",
        "valid",
        "controls",
        "nulls",
        "causal",
        "doses",
        "power",
    }


def test_rows_all_have_all_columns() -> None:
    table = rows(SUMMARY)
    assert [row["arm"] for row in table] == [one.arm.name for one in ARMS]
    assert all(list(row) == list(COLUMNS) for row in table)
    frame = pd.DataFrame(table)
    assert frame.set_index("arm").loc["steered", "accuracy"] == pytest.approx(
        SUMMARY.arm("steered").accuracy.value
    )
    assert all(frame[name].notna().any() for name in COLUMNS if name != "cosine")


def test_rows_of_an_arm_nothing_is_known_about() -> None:
    summary = summarise([record("base", "1", True)], [MeasuredArm("base", Role.BASELINE)], draws=10)
    (row,) = rows(summary)
    assert (row["accuracy"], row["difference"], row["valid"], row["retention"]) == (1, *(None,) * 3)


def test_values() -> None:
    assert plain({Role.RANDOM: (math.inf, math.nan, 1.5, None, True)}) == {
        "random": [None, None, 1.5, None, True]
    }
    with pytest.raises(TypeError, match="object"):
        plain(object())
