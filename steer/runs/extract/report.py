"""The report of an extraction: what was stored, and how reliable it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steer.runs.extract.making import Made
from steer.runs.kind import Json
from steer.specs import ExtractSpec
from steer.types import Site

FEW = 30
UNSTABLE = 0.7
OPPOSED = 0.25


def rows(made: Sequence[Made], norms: Mapping[Site, float]) -> Iterator[dict[str, Any]]:
    """A row a site: ``norm`` of the direction, ``residual_norm`` where it acts, and what
    ``elicit.quality.Quality`` says."""
    for one in made:
        norm = float((one.direction.astype(float) ** 2).sum() ** 0.5)
        yield {
            "site": str(one.site),
            "norm": round(norm, 4),
            "residual_norm": norms.get(one.site),
            **one.quality.to_dict(),
        }


def warnings(
    spec: ExtractSpec,
    counts: Sequence[int],
    found: Sequence[Mapping[str, Any]],
    steered: Mapping[str, Any] | None,
) -> Json:
    """What a reader should know before they trust it."""
    told = []
    if min(counts) < FEW:
        few = f"{min(counts)} text{'s' * (min(counts) != 1)}"
        told.append(f"a class has {few}; {FEW} or more say how reliable it is")
    agree = [row["split_half_cosine"] for row in found if "split_half_cosine" in row]
    if agree and max(agree) < UNSTABLE:
        best = f"a cosine of {max(agree):.2f}"
        told.append(f"two halves of the texts agree nowhere better than {best}")
    against = [row["anti_steerable"] for row in found if "anti_steerable" in row]
    if against and min(against) > OPPOSED:
        what = "pairs" if spec.pairs else "texts"
        told.append(f"at every site {min(against):.0%} or more of the {what} point the other way")
    if steered and steered["anti_steerable"] > OPPOSED:
        share = f"{steered['anti_steerable']:.0%} of the pairs that were tried"
        told.append(f"at {steered['site']} it steers {share} the other way")
    if not any(row["residual_norm"] for row in found):
        told.append(
            "its where touches nothing of these texts: relative strengths are measured later"
        )
    return told


def report(results: Mapping[str, Json], last: str) -> Json:
    """Of the results so far, by unit key; ``last``: of the unit that stores."""
    read = [one["read"] for key, one in results.items() if key != last]
    told = {name: sum(one[name] for one in read) for name in ("texts", "rows")}
    if last not in results:
        return told
    done = results[last]
    steered = {key: done[key] for key in ("steers",) if key in done}
    whole = {**done["stored"], "table": done["records"], "warnings": done["warnings"]}
    return told | whole | steered
