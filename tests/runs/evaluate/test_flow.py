"""Flows get the answers to what they asked, in order, however many are at work."""

import random

import pytest

from steer.errors import InvalidRequest
from steer.runs.evaluate.flow import Flows
from steer.types import Prompt, Sampling, ScoreTrial, Trial


def trial(token, count=1):
    return Trial(Prompt(token_ids=(1, token)), sampling=Sampling(max_tokens=count), measure=False)


def scoring(token):
    return ScoreTrial(Prompt(token_ids=(1, token)), Prompt(token_ids=(5, 6)))


def asked(answers):
    return [answer.plan.prompt[-1] for answer in answers]


def staged(stages):
    """A flow that asks about these tokens and notes what it was told about."""
    told = []
    for tokens in stages:
        answers = yield [trial(token, 1 + token % 5) for token in tokens]
        told.append(asked(answers))
    return told


def test_every_flow_is_told_what_it_asked_in_order(context):
    drawn = random.Random(3)
    stages = [
        [
            [drawn.randrange(3, 90) for _ in range(drawn.randrange(4))]
            for _ in range(drawn.randrange(4))
        ]
        for _ in range(60)
    ]
    flows = Flows(((i, staged(one)) for i, one in enumerate(stages)), context)
    assert dict(flows.run()) == dict(enumerate(stages))


def test_what_a_stage_asks_can_depend_on_the_one_before(context):
    def doubling():
        (first,) = yield [trial(3, 4)]
        chunk, _ = first.rows[0]
        second = yield [trial(token) for token in chunk.token_ids]
        return list(chunk.token_ids), asked(second)

    ((_, (given, told)),) = Flows([("only", doubling())], context).run()
    assert given == told and given


def test_trials_and_scores_can_be_mixed(context):
    def mixed():
        generated, scored = yield [trial(3), scoring(4)]
        return len(generated.rows), [len(one.logprobs) for one in scored.scores]

    assert list(Flows([(0, mixed())], context).run()) == [(0, (1, [2]))]


def test_flows_begin_no_earlier_than_there_is_room(context):
    begun = []

    def flow(i):
        begun.append(i)
        yield [trial(3 + i % 50, 2)]
        return i

    first, _ = next(Flows(((i, flow(i)) for i in range(1000)), context).run())
    # The queue of this engine takes 64 rows, eight run.
    assert first < 100 and len(begun) < 200


def test_later_stages_go_before_flows_that_have_not_begun(context):
    begun, ended = [], []

    def flow(i):
        begun.append(i)
        yield [trial(3, 2)]
        yield [trial(4, 2)]
        ended.append((i, len(begun)))

    list(Flows(((i, flow(i)) for i in range(400)), context).run())
    # The first is over long before the last has begun.
    assert ended[0][1] < 300


def test_what_can_not_be_planned_is_raised(context):
    def flow():
        yield [trial(10**6)]

    with pytest.raises(InvalidRequest, match="no such token"):
        list(Flows([(0, flow())], context).run())


def test_no_flows_are_done_at_once(context):
    assert list(Flows([], context).run()) == []
