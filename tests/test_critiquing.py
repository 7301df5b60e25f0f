"""Prompts that go on from an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer.critiquing import (
    CHAT,
    DEFAULT,
    TEXT,
    CritiqueTemplates,
    check_form,
    check_templates,
    critique_prompt,
    imitate_prompt,
    revise_prompt,
)
from steer.errors import InvalidRequest, Violations
from steer.types import Message, Prompt

PLAIN = Prompt(text="2 + 2 =")
CONVERSATION = Prompt(messages=(Message("system", "Be brief."), Message("user", "2 + 2?")))


def told(found):
    try:
        found.raise_if_any()
    except InvalidRequest as error:
        return [(one.field, one.reason) for one in error.violations]
    return []


def test_a_conversation_goes_on():
    critique = critique_prompt(CONVERSATION, "5", CritiqueTemplates())
    assert critique.messages == (
        *CONVERSATION.messages,
        Message("assistant", "5"),
        Message("user", CHAT.critique),
    )
    revise = revise_prompt(
        CONVERSATION, "5", "It is 4.", CritiqueTemplates(revise="{question} Not {answer}.")
    )
    assert revise.messages == (
        *critique.messages,
        Message("assistant", "It is 4."),
        Message("user", "2 + 2? Not 5."),
    )
    assert imitate_prompt(CONVERSATION, "5", DEFAULT).messages[-1].content == CHAT.imitate


def test_after_a_text_a_template_is_a_whole_prompt():
    own = CritiqueTemplates(
        "Q{question} A{answer} C", "Q{question} A{answer} C{critique} R", "{{{answer}}}"
    )
    assert critique_prompt(PLAIN, " 5", own).text == "Q2 + 2 = A 5 C"
    assert revise_prompt(PLAIN, " 5", " no", own).text == "Q2 + 2 = A 5 C no R"
    assert imitate_prompt(PLAIN, "5", own).text == "{5}"
    assert "2 + 2 = 5" in (revise_prompt(PLAIN, " 5", "no", CritiqueTemplates()).text or "")


@given(st.text(), st.text(), st.text())
def test_what_was_said_stands_as_it_was_said(question, answer, critique):
    own = CritiqueTemplates(revise="{critique}|{answer}|{question}")
    made = revise_prompt(Prompt(text=question), answer, critique, own)
    assert made.text == f"{critique}|{answer}|{question}"


@pytest.mark.parametrize("defaults", [CHAT, TEXT])
def test_the_defaults_are_right(defaults):
    found = Violations()
    check_templates(defaults, found, "")
    check_form(defaults, PLAIN if defaults is TEXT else CONVERSATION, found, "")
    found.raise_if_any()


@pytest.mark.parametrize(
    ("templates", "fields"),
    [
        (CritiqueTemplates(critique="{answer"), [("t.critique", "MALFORMED")]),
        (CritiqueTemplates(critique="}"), [("t.critique", "MALFORMED")]),
        (CritiqueTemplates(critique="{answer!r}"), [("t.critique", "MALFORMED")]),
        (CritiqueTemplates(critique="{answer:>9}"), [("t.critique", "MALFORMED")]),
        (CritiqueTemplates(critique="{critique}"), [("t.critique", "UNKNOWN_FIELD")]),
        (CritiqueTemplates(revise="{0}{}"), [("t.revise", "UNKNOWN_FIELD")]),
        (CritiqueTemplates(revise="{answer.__class__}", imitate="{x[0]}"),
         [("t.revise", "UNKNOWN_FIELD"), ("t.imitate", "UNKNOWN_FIELD")]),
    ],
)  # fmt: skip
def test_templates_that_can_not_be(templates, fields):
    found = Violations()
    check_templates(templates, found, "t.")
    assert told(found) == fields


def test_after_a_text_nothing_may_be_missing():
    found = Violations()
    check_form(CritiqueTemplates("{question}", "{question}{critique}"), PLAIN, found, "t.")
    assert told(found) == [("t.critique", "MISSING_FIELD"), ("t.revise", "MISSING_FIELD")]
    in_chat = Violations()
    check_form(CritiqueTemplates("why?", "so?"), CONVERSATION, in_chat, "t.")
    assert not in_chat


def test_token_ids_are_no_text():
    found = Violations()
    check_form(CritiqueTemplates(), Prompt(token_ids=(3,)), found, "t.")
    assert told(found) == [("t", "NOT_TEXT")]
