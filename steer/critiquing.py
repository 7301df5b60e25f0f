"""Prompts that go on from an answer: its critique, its revision, and imitating it.

A prompt of chat messages is gone on with as a conversation: the texts so far are the assistant's,
and a template is the user's next message. A text prompt is followed by nothing; there a template is
a whole prompt, so it has to hold all that was said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from steer.errors import InvalidRequest, Violations
from steer.types import Message, Prompt


@dataclass(frozen=True, slots=True)
class CritiqueTemplates:
    """What is asked at each stage; an empty one is the default for prompts of the form at hand.

    In braces stand ``question`` (the prompt's text, or its user's messages), ``answer``, and in
    ``revise`` ``critique``; ``{{`` and ``}}`` are braces. ``imitate`` is what ``critique`` is
    contrasted with when a direction is extracted.
    """

    critique: str = ""
    revise: str = ""
    imitate: str = ""


DEFAULT = CritiqueTemplates()
CHAT = CritiqueTemplates(
    critique="Critique your answer. Check every step, and say what is wrong with it, if anything.",
    revise="Now answer the question again, with your critique in mind.",
    imitate="Repeat your answer word for word.",
)
TEXT = CritiqueTemplates(
    critique="{question}{answer}\n\nCritique of this answer, step by step:",
    revise="{question}{answer}\n\nCritique of this answer, step by step:{critique}\n\n{question}",
    imitate="{question}{answer}\n\nThe same answer once more:",
)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "critique": ("question", "answer"),
    "revise": ("question", "answer", "critique"),
    "imitate": ("question", "answer"),
}
"""What each template may hold, and for prompts of text must hold."""


def check_templates(
    given: CritiqueTemplates, found: Violations, path: str, suffix: str = ""
) -> None:
    """Report templates that are malformed, or hold what is not known at their stage. Their fields
    are named after their stages, between ``path`` and ``suffix``."""
    for stage, allowed in FIELDS.items():
        template, at = getattr(given, stage), f"{path}{stage}{suffix}"
        try:
            names = _names(template)
        except ValueError as error:
            found.add(at, "MALFORMED", f"{error}; give a brace that is meant as {{{{ or }}}}")
            continue
        odd = [name for name in dict.fromkeys(names) if name not in allowed]
        if odd:
            message = f"holds {_braced(odd)}, not known there; give {_braced(allowed)}"
            found.add(at, "UNKNOWN_FIELD", message)


def check_form(
    given: CritiqueTemplates, prompt: Prompt, found: Violations, path: str, suffix: str = ""
) -> None:
    """Report what keeps the templates, themselves right, from going on from such a prompt."""
    if prompt.token_ids:
        message = "goes on from text or chat messages; this prompt is token ids"
        found.add(path.rstrip("."), "NOT_TEXT", message)
    elif not prompt.messages:
        for stage, needed in FIELDS.items():
            template = getattr(given, stage)
            missing = [name for name in needed if template and name not in _names(template)]
            if missing:
                message = (
                    f"has no {_braced(missing)}; after a prompt of text it is all that is read"
                )
                found.add(f"{path}{stage}{suffix}", "MISSING_FIELD", message)


def critique_prompt(prompt: Prompt, answer: str, templates: CritiqueTemplates) -> Prompt:
    """What asks for a critique of an answer."""
    return _going_on(prompt, (answer,), "critique", templates, answer=answer)


def imitate_prompt(prompt: Prompt, answer: str, templates: CritiqueTemplates) -> Prompt:
    """What asks for the same answer again."""
    return _going_on(prompt, (answer,), "imitate", templates, answer=answer)


def revise_prompt(
    prompt: Prompt, answer: str, critique: str, templates: CritiqueTemplates
) -> Prompt:
    """What asks for another answer after a critique."""
    before = critique_prompt(prompt, answer, templates) if prompt.messages else prompt
    said = (critique,)
    return _going_on(before, said, "revise", templates, prompt, answer=answer, critique=critique)


def _going_on(
    before: Prompt,
    said: tuple[str, ...],
    stage: str,
    templates: CritiqueTemplates,
    first: Prompt | None = None,
    **values: str,
) -> Prompt:
    """``first``: the prompt that the question is of, if not ``before``."""
    default: str = getattr(CHAT if before.messages else TEXT, stage)
    question = question_of(first or before)
    text = _filled(getattr(templates, stage) or default, {"question": question, **values})
    if not before.messages:
        return Prompt(text=text)
    turns = tuple(Message("assistant", one) for one in said)
    return Prompt(messages=(*before.messages, *turns, Message("user", text)))


def question_of(prompt: Prompt) -> str:
    """What a prompt asks. Raises InvalidRequest for token ids."""
    if prompt.messages:
        return "\n\n".join(one.content for one in prompt.messages if one.role == "user")
    if prompt.text is None:
        raise InvalidRequest("going on from an answer needs a prompt of text or of chat messages")
    return prompt.text


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _names(template: str) -> list[str]:
    """What stands in braces. Raises ValueError for braces that do not match, or hold more."""
    found = []
    for _, name, form, conversion in Formatter().parse(template):
        if form or conversion:
            raise ValueError(f"{{{name}}} has a format, and takes none")
        if name is not None:
            found.append(name)
    return found


def _filled(template: str, values: Mapping[str, str]) -> str:
    # Not str.format: attributes and indices in a template mean nothing here.
    return "".join(
        literal + ("" if name is None else values[name])
        for literal, name, _, _ in Formatter().parse(template)
    )
