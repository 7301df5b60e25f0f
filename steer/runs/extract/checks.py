"""What an extraction can not be asked to do; everything wrong is told at once."""

from steer.errors import InvalidRequest, Violations
from steer.intervene.shape import check_site, check_where
from steer.runs.extract.examples import PATH, Examples, examples_of
from steer.runs.kind import Context
from steer.specs import ExtractSpec
from steer.store.address import check_name
from steer.types import Site


def check(spec: ExtractSpec, context: Context) -> None:
    """Raises InvalidRequest, NotFound or FailedPrecondition with every violation."""
    judged(spec, context)


def judged(spec: ExtractSpec, context: Context) -> Examples:
    """The examples of a spec that can be done. Raises as ``check``."""
    found = Violations()
    try:
        check_name(spec.into)
    except InvalidRequest as error:
        found.add(f"{PATH}.into", error.reason, error.message)
    for index, site in enumerate(spec.sites):
        check_site(site, context.model, f"{PATH}.sites[{index}]", found)
    if spec.where is not None:
        check_where(spec.where, f"{PATH}.where", context.model, found)
    if spec.as_probe and (spec.normalise or spec.scale != 1):
        message = "are for directions; a probe's weights are what they are"
        found.add(f"{PATH}.as_probe", "CONTRADICTORY", f"normalise and scale {message}")
    examples = examples_of(spec, context, found)
    found.raise_if_any()
    assert examples is not None
    return examples


def sites_of(spec: ExtractSpec, context: Context) -> tuple[Site, ...]:
    """Where directions are made: as asked for, else after every block."""
    return tuple(sorted(spec.sites)) or after_blocks(context)


def after_blocks(context: Context) -> tuple[Site, ...]:
    """``resid_post`` of every block."""
    return tuple(map(Site, range(context.model.layers)))
