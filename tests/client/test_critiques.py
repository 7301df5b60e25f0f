"""Answer, critique, revision: which calls are made, and the pairs of an extraction."""

import pytest

import steer
from steer.critiquing import CHAT
from steer.types import Message, Prompt

QUESTION = [{"role": "user", "content": "2 + 2?"}]
SAID, STEERED = "THINK <1> 2", "THINK <b> 9"


def test_three_stages_of_a_conversation(fake):
    with steer.Client(fake.target) as client:
        done = steer.critique(
            client, QUESTION, critiquing=steer.add("critic"), max_tokens=7, seed=3
        )
    assert (done.answer, done.critique, done.revised) == (SAID, STEERED, SAID)
    assert [row.arm for row in done.rows] == ["baseline", "steered", "baseline"]
    first, second, third = fake.trials
    assert [one.baseline for one in fake.trials] == [True, False, True]
    assert {(one.sampling.max_tokens, one.sampling.seed, one.measure) for one in fake.trials} == {
        (7, 3, False)
    }
    asked = (Message("user", "2 + 2?"),)
    judged = (*asked, Message("assistant", SAID), Message("user", CHAT.critique))
    assert first.prompt.messages == asked and second.prompt.messages == judged
    assert third.prompt.messages == (
        *judged,
        Message("assistant", STEERED),
        Message("user", CHAT.revise),
    )


def test_an_answer_that_is_given_is_not_asked_for(fake):
    own = steer.CritiqueTemplates("{question}{answer}?", "{question}{answer}?{critique}!")
    with steer.Client(fake.target) as client:
        done = steer.critique(client, "1+1=", answer="3", templates=own)
    assert done.answer == "3" and len(done.rows) == 2
    assert [one.prompt.text for one in fake.trials] == ["1+1=3?", f"1+1=3?{SAID}!"]


def test_pairs_contrast_critique_with_imitation():
    answered = [(QUESTION, "5"), ("1+1=", " 3")]
    positive, negative = steer.critique_pairs(answered)
    assert len(positive) == len(negative) == 2
    assert positive[0].prompt.messages[:-1] == negative[0].prompt.messages[:-1]
    assert positive[0].prompt.messages[-1] != negative[0].prompt.messages[-1]
    assert positive[1].prompt.text.startswith("1+1= 3") and negative[1].prompt != positive[1].prompt


@pytest.mark.parametrize(
    ("prompt", "templates", "fields"),
    [
        ("x", steer.CritiqueTemplates("{why}", "{"), ["templates.critique", "templates.revise"]),
        ("x", steer.CritiqueTemplates("so?"), ["templates.critique"]),
        (Prompt(token_ids=(3,)), steer.CritiqueTemplates(), ["templates"]),
    ],
)
def test_templates_are_judged_before_anything_is_asked(fake, prompt, templates, fields):
    with steer.Client(fake.target) as client, pytest.raises(steer.InvalidRequest) as caught:
        steer.critique(client, prompt, templates=templates)
    assert [one.field for one in caught.value.violations] == fields
    assert not fake.trials
    with pytest.raises(steer.InvalidRequest):
        steer.critique_pairs([(prompt, "a")], templates)
