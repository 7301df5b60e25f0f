"""``Where`` from the definition, condition by condition over a whole row: slow and obvious."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from steer.types import Decay, DecayShape, Phase, Range, Where
from tests.intervene.marker_reference import open_at


def multipliers(
    where: Where,
    prompt_length: int,
    row: Sequence[int],
    pieces: Sequence[str],
    special: AbstractSet[int],
) -> list[float]:
    """Of every token of a row; ``pieces`` is what each of them says."""
    every_position = set(range(len(row)))
    meets = [{p for p in every_position if in_phase(where.phase, p, prompt_length)}]
    if where.ranges:
        meets.append({p for p in every_position if in_ranges(where.ranges, p, prompt_length)})
    if where.token_ids:
        meets.append({p for p in every_position if row[p] in where.token_ids})
    meets.append({p for p in every_position if row[p] not in where.exclude_token_ids})
    if not where.include_special_tokens:
        meets.append({p for p in every_position if row[p] not in special or p > prompt_length - 2})
    if where.markers:
        opened = [open_at(marker, pieces) for marker in where.markers]
        meets.append({p for p in every_position if any(each[p] for each in opened)})
    touched = sorted(set.intersection(every_position, *meets))[:: where.every]
    return [
        falling(where.decay, position - touched[0]) if position in touched else 0.0
        for position in range(len(row))
    ]


def in_phase(phase: Phase, position: int, prompt_length: int) -> bool:
    return {
        Phase.PROMPT: position < prompt_length,
        Phase.GENERATED: position >= prompt_length,
        Phase.DECODE: position >= prompt_length - 1,
        Phase.FIRST: position == prompt_length - 1,
        Phase.ALL: True,
    }[phase]


def in_ranges(ranges: tuple[Range, ...], position: int, prompt_length: int) -> bool:
    def resolved(bound: int) -> int:
        return bound + prompt_length if bound < 0 else bound

    return any(
        (one.start is None or resolved(one.start) <= position)
        and (one.stop is None or position < resolved(one.stop))
        for one in ranges
    )


def falling(decay: Decay | None, distance: int) -> float:
    if decay is None:
        return 1.0
    if decay.shape is DecayShape.EXPONENTIAL:
        return 2.0 ** -(distance / decay.tokens)
    return 1 - distance / decay.tokens if distance < decay.tokens else 0.0
