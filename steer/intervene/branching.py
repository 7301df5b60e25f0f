"""What of a branching can not be. No torch."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from steer.errors import InvalidRequest, Violations
from steer.intervene.plan import PlannedArm, PlannedBranching
from steer.tasks.extract import extractor
from steer.types import Extractor, ModelInfo, Trial

PATH = "trial.branching"


def plan_branching(
    trial: Trial,
    arms: Sequence[PlannedArm],
    model: ModelInfo,
    special: AbstractSet[int],
    found: Violations,
) -> PlannedBranching | None:
    """The branching of a trial; None without one, or when something is wrong with it.

    ``arms``: those of the trial after the baseline, which comes first. ``special``: ids that may be
    kept from being the first token, when an end may not come yet.
    """
    asked = trial.branching
    if asked is None:
        return None
    _check_k(asked.k, trial, model, special, found)
    for index, arm in enumerate(arms[1 : 1 + len(trial.arms)]):
        if arm.forced and len(arm.forced) == trial.sampling.max_tokens:
            message = f"has {len(arm.forced)} tokens, all of sampling.max_tokens: none to branch at"
            found.add(f"trial.arms[{index}].forced_prefix", "NO_ROOM_TO_BRANCH", message)
    if asked.extractor is Extractor.MATH:
        message = "math does not tell where an answer stands, which branches are chosen by"
        found.add(f"{PATH}.extractor", "NOT_LOCATED", message)
        return None
    try:
        return PlannedBranching(asked, extractor(asked.extractor, asked.pattern))
    except InvalidRequest as error:
        field, _, message = error.message.partition(": ")
        found.add(f"{PATH}.{field}", "MALFORMED", message)
        return None


def _check_k(
    k: int, trial: Trial, model: ModelInfo, special: AbstractSet[int], found: Violations
) -> None:
    barred = special | set(trial.sampling.stop_token_ids) if trial.sampling.min_tokens else set()
    most = model.vocab_size - len(barred)
    if k > most:
        message = f"is {k}; the model has {most} tokens to begin with"
        found.add(f"{PATH}.k", "OUT_OF_RANGE", message)
