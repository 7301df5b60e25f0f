"""Answer, critique, revision: each stage under a treatment of its own; and pairs of contexts that a
critique vector is made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steer.client.arms import Treatment
from steer.client.prompts import PromptLike, as_prompt
from steer.client.results import Row
from steer.critiquing import (
    DEFAULT,
    CritiqueTemplates,
    check_form,
    check_templates,
    critique_prompt,
    imitate_prompt,
    revise_prompt,
)
from steer.errors import Violations
from steer.specs import Passage
from steer.types import Prompt

if TYPE_CHECKING:
    from steer.client.client import Client


@dataclass(frozen=True, slots=True)
class Critique:
    """The three texts. ``rows``: of the stages that were generated, in order, with receipts; two of
    them when the answer was given."""

    answer: str
    critique: str
    revised: str
    rows: tuple[Row, ...]


def critique(
    client: "Client",
    prompt: PromptLike,
    *,
    answer: str | None = None,
    answering: Treatment | None = None,
    critiquing: Treatment | None = None,
    revising: Treatment | None = None,
    templates: CritiqueTemplates = DEFAULT,
    **sampling: Any,
) -> Critique:
    """Answer a prompt, criticise the answer, answer again; each under its own treatment, if any.

    ``prompt``: text, or chat messages, which are gone on with as a conversation. ``answer``: the
    first answer, when there is one already. ``templates``: what is asked; see
    ``steer.CritiqueTemplates``. ``sampling``: of ``steer.Sampling``, in every stage; the answer's
    first token of a text prompt comes right behind it, so give ``stop`` where a model would go on.
    Raises InvalidRequest for templates that do not fit the prompt, and what ``compare`` raises.
    """
    asked = as_prompt(prompt)
    _check(templates, asked)
    rows = []

    def said(prompt: Prompt, treatment: Treatment | None) -> str:
        plain = treatment is None
        result = client.compare(prompt, treatment, baseline=plain, measure=False, **sampling)
        rows.append((result.baseline if plain else result.steered).samples[0])
        return rows[-1].text

    first = said(asked, answering) if answer is None else answer
    judged = said(critique_prompt(asked, first, templates), critiquing)
    revised = said(revise_prompt(asked, first, judged, templates), revising)
    return Critique(first, judged, revised, tuple(rows))


def critique_pairs(
    answered: Iterable[tuple[PromptLike, str]], templates: CritiqueTemplates = DEFAULT
) -> tuple[list[Passage], list[Passage]]:
    """Contexts that ask to criticise an answer, and the same ones that ask to imitate it.

    ``answered``: prompts with answers to them, which should be as noisy as those the vector is to
    criticise: a sample of the model's own, right and wrong. The two lists are the classes of a
    paired extraction at the last token of the prompt:
    ``client.runs.extract("critic", positive=…, negative=…, paired=True)``. What is contrasted is
    what critique fine-tuning trains (Wang, Yue and Chen, arXiv 2501.17703), without training.
    Raises InvalidRequest for templates that do not fit a prompt.
    """
    positive, negative = [], []
    for prompt, answer in answered:
        asked = as_prompt(prompt)
        _check(templates, asked)
        positive.append(Passage(critique_prompt(asked, answer, templates)))
        negative.append(Passage(imitate_prompt(asked, answer, templates)))
    return positive, negative


def _check(templates: CritiqueTemplates, prompt: Prompt) -> None:
    found = Violations()
    check_templates(templates, found, "templates.")
    found.raise_if_any()
    check_form(templates, prompt, found, "templates.")
    found.raise_if_any()
