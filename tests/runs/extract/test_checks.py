"""What an extraction can not be asked to do is said at once, by field."""

from dataclasses import replace

import pytest

from steer.errors import FailedPrecondition, InvalidRequest, NotFound, SteerError
from steer.runs.background import Background
from steer.runs.extract import examples
from steer.runs.extract.kind import Extract
from steer.specs import ExtractMethod, ExtractSpec, InlineTask, Passage, ReadAt
from steer.types import Message, Prompt, Site, Where
from tests.runs.extract.conftest import passage, passages

SPEC = ExtractSpec("made", passages(4, 40), passages(4, 60))
AT = "spec.extract"


def faults(spec: ExtractSpec, context: Background) -> dict[str, str]:
    """Reason by field."""
    with pytest.raises(SteerError) as caught:
        Extract().check(spec, context)
    return {one.field: one.reason for one in caught.value.violations}


def test_what_is_right_passes(context: Background):
    Extract().check(SPEC, context)


def test_everything_wrong_is_told_at_once(context: Background):
    spec = replace(
        SPEC,
        into="No Name",
        sites=(Site(1), Site(9)),
        where=Where(token_ids=(10**6,)),
        method=ExtractMethod.PROBE,
        as_probe=True,
        scale=2.0,
        positive=(passage([1, 5]), Passage(Prompt(messages=(Message("user", "x"),)))),
        negative=(passage([1, 10**6]), passage([1, 7])),
    )
    assert faults(spec, context) == {
        f"{AT}.into": "BAD_NAME",
        f"{AT}.sites[1].layer": "LAYER_OUT_OF_RANGE",
        f"{AT}.where.token_ids": "UNKNOWN_TOKEN",
        f"{AT}.as_probe": "CONTRADICTORY",
        f"{AT}.positive[1].prompt.chat": "NO_CHAT_TEMPLATE",
        f"{AT}.negative[0].prompt.tokens.ids": "UNKNOWN_TOKEN",
    }


@pytest.mark.parametrize(
    ("read_at", "text", "field", "reason"),
    [
        (ReadAt.ANSWER, passage([1, 5]), "", "NOTHING_TO_READ"),
        (ReadAt.SPANS, passage([1, 5]), "", "NOTHING_TO_READ"),
        (ReadAt.SPANS, passage([1, 5, 6], spans=((1, 2), (2, 4))), ".spans[1]", "SPAN_OUTSIDE"),
        (ReadAt.SPANS, passage([1, 5, 6], spans=((0, 1),)), "", "ONLY_SPECIAL_TOKENS"),
        (ReadAt.PROMPT, passage([1, 2]), "", "ONLY_SPECIAL_TOKENS"),
        (ReadAt.LAST_PROMPT, passage([1]), "", "ONLY_SPECIAL_TOKENS"),
        (ReadAt.EVENT, passage([1, 5, 6]), "", "NOTHING_TO_READ"),
        (ReadAt.ALL, passage(range(3, 90), "t5 " * 200), "", "TOO_LONG"),
    ],
)
def test_a_text_that_can_not_be_read_is_named(context, read_at, text, field, reason):
    fine = passage([1, 8, 9, 10], "t7 t9", spans=((1, 2),))
    spec = replace(
        SPEC, positive=(fine, text), negative=(fine,), read_at=read_at, event="t9", offset=0
    )
    assert faults(spec, context) == {f"{AT}.positive[1]{field}": reason}


def test_an_event_needs_tokens_before_it(context: Background):
    text = passage([1, 8, 9])
    spec = replace(SPEC, positive=(text,), negative=(text,), read_at=ReadAt.EVENT, event="t8")
    assert faults(replace(spec, offset=-2), context).keys() == {
        f"{AT}.positive[0]",
        f"{AT}.negative[0]",
    }


def test_a_template_s_mark_at_the_end_is_read(context: Background):
    """It is where the model begins to answer from."""
    spec = replace(SPEC, positive=(passage([1, 5, 2]),), negative=(passage([1, 6, 2]),))
    Extract().check(spec, context)


def test_classes_that_can_not_differ_are_refused(context: Background):
    """What comes behind the last token that is read makes no difference."""
    positive, negative = (
        tuple(replace(one, answer=answer) for one in passages(4, 40)) for answer in ("t5", "t6")
    )
    spec = replace(SPEC, positive=positive, negative=negative[::-1])
    assert faults(spec, context) == {f"{AT}.negative": "IDENTICAL"}
    Extract().check(replace(spec, read_at=ReadAt.ANSWER), context)


def test_of_many_faults_the_first_are_told(context: Background, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(examples, "SHOWN", 3)
    told = faults(replace(SPEC, read_at=ReadAt.ANSWER), context)
    assert told == {f"{AT}.positive[{i}]": "NOTHING_TO_READ" for i in range(3)} | {
        AT: "TOO_MANY_ERRORS"
    }


def test_tasks_are_checked(context: Background):
    empty = replace(SPEC, positive=(), negative=())
    with pytest.raises(NotFound):
        Extract().check(replace(empty, task="nothing"), context)
    assert faults(replace(empty, task="nothing"), context) == {f"{AT}.task_name": "TASK_NOT_FOUND"}
    lines = InlineTask("mine", '{"prompt": "a"}')
    told = faults(replace(empty, task=lines), context)
    assert all(field.startswith(f"{AT}.inline_task.") for field in told)
    assert faults(replace(empty, task="facts", n=4), context).keys() <= {
        f"{AT}.task_name",
        f"{AT}.n",
    }
    assert issubclass(FailedPrecondition, SteerError) and InvalidRequest.code
