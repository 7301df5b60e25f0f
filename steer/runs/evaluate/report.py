"""The report of an evaluation: a pure function of its spec and what is done of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from steer.measure.gain import GainRecord
from steer.measure.plain import as_json
from steer.measure.records import Record, Role
from steer.measure.summary import Summary, summarise
from steer.measure.verdict import verdicts, withheld
from steer.runs.evaluate.branching import summed
from steer.runs.evaluate.entries import CAST, about_of
from steer.runs.evaluate.revision import summed as revisions_summed
from steer.runs.kind import Json
from steer.specs import EvaluateSpec
from steer.types import BASELINE


def report(spec: EvaluateSpec, results: Mapping[str, Json]) -> Json:
    """Of the results so far, by unit key. Numbers are there once a problem is done."""
    told: dict[str, Any] = {
        "n": spec.n,
        "split": spec.split,
        "samples": spec.samples,
        "seed": spec.seed,
    }
    if CAST not in results:
        return told
    told |= {
        **results[CAST][CAST],
        "places": _places(one["places"] for one in results.values() if "places" in one),
        "examples": list(_all(results, "examples")),
    }
    if spec.branching is not None:
        counts = [one["branches"] for one in results.values() if "branches" in one]
        told["branching"] = summed(spec, counts)
    if spec.revision is not None:
        told["revision"] = revisions_summed(spec, list(_all(results, "revisions")))
    records = [Record.from_dict(row) for row in _all(results, "records")]
    if not any(one.arm == BASELINE and not one.retention for one in records):
        return told
    gains = [GainRecord.from_dict(row) for row in _all(results, "gains")]
    arms = [about_of(arm) for arm in told["arms"]]
    summary = summarise(records, arms, choices=told["task"]["choices"], gains=gains, seed=spec.seed)
    omitted = {Role(role): why for role, why in told["omitted"].items()}
    found = verdicts(summary, omitted, frozenset(map(Role, told.get("needed", ()))))
    if unfinished := _unfinished(told, summary):
        told["warnings"] = [*told["warnings"], unfinished]
        found = tuple(withheld(one, unfinished) for one in found)
    return told | as_json(summary, found)


def _unfinished(told: Mapping[str, Any], summary: Summary) -> str:
    """What is not done yet, in words; nothing when all is."""
    counts = {
        "problems": (summary.arm(BASELINE).items, told["n"]),
        "retention items": (summary.retention_items, told.get("retention_n", 0)),
    }
    parts = [f"{done} of {of} {what}" for what, (done, of) in counts.items() if done < of]
    return f"the run is not over: {' and '.join(parts)} are done" if parts else ""


def _all(results: Mapping[str, Json], key: str) -> Iterator[Json]:
    """Everything under a key, in the order of the units."""
    return (row for result in results.values() for row in result.get(key, ()))


def _places(found: Iterable[Mapping[str, Any]]) -> Json:
    """By arm and site: positions touched, and the mean of ‖Δ‖/‖h‖ over them."""
    sums: dict[str, dict[str, list[float]]] = {}
    for places in found:
        for arm, sites in places.items():
            for site, (positions, change) in sites.items():
                total = sums.setdefault(arm, {}).setdefault(site, [0, 0.0])
                total[0] += positions
                total[1] += change
    return {
        arm: {
            site: {"positions": positions, "change": change / positions if positions else 0.0}
            for site, (positions, change) in sites.items()
        }
        for arm, sites in sums.items()
    }
