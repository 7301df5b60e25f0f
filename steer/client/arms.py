"""Arms: what a caller may put into ``arms={name: …}``."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from steer.client.prompts import PromptLike, as_prompt
from steer.client.recipe import Recipe, interventions_of
from steer.types import Arm, Intervention

# What stands for an arm: a recipe, several of them, or an arm made by `arm`.
Treatment = Recipe | Intervention | Arm | Iterable[Recipe | Intervention]


def arm(
    *recipes: Recipe | Intervention,
    forced_prefix: str | Iterable[int] | None = None,
    logit_bias: Mapping[int, float] | None = None,
    prompt: PromptLike | None = None,
    stored: str | Iterable[str] = (),
) -> Arm:
    """An arm with more than recipes; its name is its key in ``arms={…}``.

    ``stored``: names of recipes the server keeps (``client.recipes``); they come before the others.
    ``forced_prefix``: text or token ids the answer must begin with. ``logit_bias``: added to the
    logits of these token ids in this arm alone. ``prompt``: another prompt for this arm.
    """
    return Arm(
        name="",
        interventions=interventions_of(recipes),
        forced_prefix=None if forced_prefix is None else as_prompt(forced_prefix),
        logit_bias=dict(logit_bias or {}),
        prompt=None if prompt is None else as_prompt(prompt),
        recipes=(stored,) if isinstance(stored, str) else tuple(stored),
    )


def as_arm(name: str, treatment: Treatment) -> Arm:
    """The arm of this name."""
    if isinstance(treatment, Arm):
        return replace(treatment, name=name)
    return Arm(name, interventions_of(treatment))
