"""Whether every problem of a run can be asked: one that can not would end it at its turn."""

from collections.abc import Sequence

from steer.errors import InvalidRequest, Violations
from steer.runs.kind import Context
from steer.tasks.task import Item
from steer.types import Arm

SHOWN = 3


def check_prompts(
    items: Sequence[Item],
    arms: Sequence[Arm],
    context: Context,
    fields: tuple[str, str],
    found: Violations,
) -> None:
    """Notes problems that can not be encoded, or fill the model's context with the longest prefix
    of an ``arm``, which must be sound. ``fields``: the task's and the number of problems', in full.
    """
    text, longest = context.planner.text, context.model.context_length
    prefixes = (arm.forced_prefix for arm in arms if arm.prompt is None)
    prefix = max((len(text.encode_bare(one, "")) for one in prefixes if one), default=0)
    of_task, of_count = fields
    too_long = []
    for item in items:
        try:
            if len(text.encode(item.prompt, "")) + prefix >= longest:
                too_long.append(item.id)
        except InvalidRequest as error:
            found.add(of_task, error.reason, f"problem {item.id!r}: {error.message}")
    if too_long:
        message = (
            f"{len(too_long)} problems fill the model's context of {longest} tokens, such as "
            f"{', '.join(too_long[:SHOWN])}"
        )
        found.add(of_count, "TOO_LONG", message)
