"""What a reader wants to see besides numbers: texts side by side, and where the arms acted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from steer.intervene.ports import Text
from steer.runs.evaluate.rows import Graded
from steer.runs.kind import Json
from steer.tasks.task import Item
from steer.types import Prompt


def example(item: Item, done: Iterable[Graded], arms: Sequence[str], text: Text) -> Json:
    """An item with the first completion under each of some arms, token by token, with the KL to
    the unsteered model (nats) at each where it was measured."""
    shown = {
        one.row.arm: {
            "pieces": _pieces(one.row.chunk.token_ids, text),
            "kl": list(one.row.measurement.kl) if one.row.measurement else [],
            "correct": one.grade.correct,
            "answer": one.grade.answer,
        }
        for one in done
        if one.item.id == item.id and one.row.arm in arms and one.row.chunk.sample == 0
    }
    return {
        "item": item.id,
        "prompt": told(item.prompt),
        "answer": item.answer,
        "arms": {name: shown[name] for name in arms if name in shown},
    }


def places(done: Iterable[Graded], arms: AbstractSet[str]) -> Json:
    """By arm and site: positions touched, and the sum over them of ‖Δ‖/‖h‖."""
    found: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for one in done:
        if one.row.arm in arms:
            for receipt in one.row.finished.receipts:
                total = found[one.row.arm].setdefault(str(receipt.site), [0, 0.0])
                total[0] += receipt.tokens
                total[1] += receipt.tokens * receipt.mean_change
    return dict(found)


def told(prompt: Prompt) -> str:
    """A prompt as text to read."""
    if prompt.messages:
        return "\n".join(f"{message.role}: {message.content}" for message in prompt.messages)
    return prompt.text if prompt.text is not None else f"{len(prompt.token_ids)} token ids"


def _pieces(ids: Sequence[int], text: Text) -> list[str]:
    stream = text.stream((), special=True)
    return [stream.push(token) for token in ids]
