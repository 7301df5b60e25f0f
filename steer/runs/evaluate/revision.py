"""Arms whose completions are revised answers: an answer, its critique, and the answer after it.

Source of the idea: Wang, Yue and Chen, "Critique Fine-Tuning", arXiv 2501.17703, with a vector at
the critique in the place of training; what came of it is measured as in arXiv 2507.18178.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from steer.critiquing import critique_prompt, revise_prompt
from steer.measure.records import MeasuredArm, Role
from steer.measure.revision import revised
from steer.runs.evaluate.asking import Asking
from steer.runs.evaluate.entries import Entry
from steer.runs.evaluate.rows import Graded, Row
from steer.runs.kind import Answer, Json
from steer.specs import EvaluateSpec, Revision, Stage
from steer.tasks.task import Item, Task
from steer.types import BASELINE, Arm, Prompt, Trial

EXAMPLES = 6
"""Problems whose texts are in the report; the results of units have all."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that is to be revised under an entry."""

    item: Item
    entry: Entry
    first: Graded
    prompt: Prompt

    @property
    def answer(self) -> str:
        """Its text."""
        return self.first.row.chunk.text


def revised_entries(steered: Iterable[Entry]) -> Iterator[Entry]:
    """An entry for the baseline and one for every steered arm."""
    for arm in (Arm(BASELINE), *(entry.arm for entry in steered)):
        of = "" if arm.name == BASELINE else arm.name
        yield Entry(MeasuredArm(f"{arm.name}/revised", Role.REVISED, of=of), arm)


@dataclass(frozen=True)
class Reviser:
    """Asks for critiques and revised answers. Of several samples the first is revised."""

    task: Task
    entries: Sequence[Entry]
    asking: Asking
    revision: Revision

    def drafts(self, items: Sequence[Item], done: Iterable[Graded]) -> list[Draft]:
        """The first answers, from all that was completed."""
        firsts = {(one.row.arm, one.item.id): one for one in done if one.row.chunk.sample == 0}
        return [self._draft(item, entry, firsts) for item in items for entry in self.entries]

    def critique(self, draft: Draft) -> Trial:
        """What asks for a critique."""
        prompt = critique_prompt(draft.prompt, draft.answer, self.revision.templates)
        trial = self._trial(draft, prompt, Stage.CRITIQUE)
        most = self.revision.critique_tokens or trial.sampling.max_tokens
        return replace(trial, sampling=replace(trial.sampling, max_tokens=most))

    def revise(self, draft: Draft, critique: Answer) -> Trial:
        """What asks for another answer."""
        prompt = revise_prompt(draft.prompt, draft.answer, said(critique), self.revision.templates)
        return self._trial(draft, prompt, Stage.REVISE)

    def graded(self, draft: Draft, answer: Answer) -> Graded:
        """A revised answer as a completion of its own arm."""
        ((chunk, finished),) = answer.rows
        name = draft.entry.name
        row = Row(replace(chunk, arm=name), replace(finished, arm=name), None)
        return Graded(draft.item, row, self.task.grade(draft.item, chunk.text))

    def _draft(self, item: Item, entry: Entry, firsts: Mapping[tuple[str, str], Graded]) -> Draft:
        own = Stage.ANSWER in self.revision.stages
        prompt = entry.arm.prompt if own else None
        first = firsts[entry.arm.name if own else BASELINE, item.id]
        return Draft(item, entry, first, prompt or item.prompt)

    def _trial(self, draft: Draft, prompt: Prompt, stage: Stage) -> Trial:
        arm = draft.entry.arm
        plain = arm.name == BASELINE or stage not in self.revision.stages
        arms = () if plain else (Arm(arm.name, arm.interventions, logit_bias=arm.logit_bias),)
        asked = replace(draft.item, prompt=prompt)
        (trial,) = self.asking.trials(asked, arms, baseline=plain, samples=1)
        return trial


def said(answer: Answer) -> str:
    """The text of an answer of one row."""
    return answer.rows[0][0].text


def told(draft: Draft, critique: Answer, graded: Graded) -> Json:
    """The three texts and what the answers are worth."""
    return {
        "item": draft.item.id,
        "template": draft.item.template,
        "arm": draft.entry.name,
        "answer": draft.answer,
        "critique": said(critique),
        "revised": graded.row.chunk.text,
        "first_right": draft.first.grade.correct,
        "revised_right": graded.grade.correct,
    }


def summed(spec: EvaluateSpec, told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the report says of the revisions, from what there is of them."""
    assert spec.revision is not None
    shown = set(list(dict.fromkeys(one["item"] for one in told))[:EXAMPLES])
    arms = {}
    for name in dict.fromkeys(one["arm"] for one in told):
        own = [one for one in told if one["arm"] == name]
        found = revised(
            [(one["first_right"], one["revised_right"]) for one in own],
            [one["template"] or one["item"] for one in own],
            spec.seed,
        )
        arms[name] = None if found is None else asdict(found)
    return {
        "stages": [stage.value for stage in spec.revision.stages],
        "arms": arms,
        "examples": [one for one in told if one["item"] in shown],
    }
