"""Information gain against plain passes of the network, and RLP's first proposition."""

import math
import random

import pytest
import torch

from steer.measure.gain import item_gain, proposition_1
from steer.models.load import load
from steer.runs.evaluate.flow import Flows
from steer.runs.evaluate.gain import Questions
from steer.runs.evaluate.traces import Writer
from steer.tasks.catalog import load_task
from steer.types import BASELINE, Arm

A1 = load_task("a1")
ITEM = A1.items("report", 1)[0]


def scored(questions, context):
    """The gain records of some questions."""

    def flow(question):
        answers = yield question.trials()
        return question.result(iter(answers))

    found = Flows(((i, flow(one)) for i, one in enumerate(questions)), context).run()
    return [records for _, records in sorted(found, key=lambda pair: pair[0])]


def question(answer, context):
    """How likely an answer is after the gold trace, unsteered, and without one."""
    writer = Writer(A1, context.planner.text)
    gold, none = writer.prefix(ITEM, ITEM.trace), writer.prefix(ITEM, ())
    plain = Arm("plain")
    return Questions(ITEM, (answer,), none, {"plain": ("plain", [gold])}, (plain,), False)


def logprobs(text):
    """Of every token of the vocabulary after a text, by one plain pass of the network."""
    model = load("organism/a1")
    ids = model.text.encode_bare(type(ITEM.prompt)(text), "text")
    with torch.no_grad():
        logits = model.network(torch.tensor([ids]), use_cache=False).logits[0, -1]
    return logits.float().log_softmax(-1).tolist()


def test_proposition_1_is_an_identity_of_what_is_scored(a1):
    """E_p*[log p(y|trace) - log p(y)] = CE(p*, p(.|no trace)) - CE(p*, p(.|trace))."""
    vocabulary = range(a1.model.vocab_size)
    records = [one for (one,) in scored([question(y, a1) for y in vocabulary], a1)]
    drawn = random.Random(0)
    weights = [drawn.random() for _ in vocabulary]
    target = [weight / math.fsum(weights) for weight in weights]

    left, _ = proposition_1(
        target, [one["think"][0] for one in records], [one["nothink"] for one in records]
    )
    think = logprobs(f"{ITEM.prompt.text} THINK {' '.join(ITEM.trace)} ANSWER")
    nothink = logprobs(f"{ITEM.prompt.text} ANSWER")
    _, right = proposition_1(target, think, nothink)
    assert left == pytest.approx(right, abs=1e-5)


def test_scores_are_those_of_the_answer_alone(a1):
    (right,) = a1.planner.text.encode_bare(type(ITEM.prompt)(ITEM.answer), "answer")
    ((record,),) = scored([question(right, a1)], a1)
    assert record["nothink"] == pytest.approx(
        logprobs(f"{ITEM.prompt.text} ANSWER")[right], abs=1e-5
    )
    assert record["tokens"] == 1
    assert record["arm"] == "plain" != BASELINE


def test_own_traces_say_the_answer_and_others_do_not(done):
    gains = {}
    for result in done.results.values():
        for record in result.get("gains", ()):
            found = item_gain(record["nothink"], record["think"])
            assert found.mean <= found.mixture + 1e-9 and found.mixture <= found.best + 1e-9
            gains.setdefault(record["arm"], []).append(found.best)
    means = {arm: math.fsum(found) / len(found) for arm, found in gains.items()}
    assert means.keys() == {"steered", "random-1", "swapped", "filler"}
    assert means["steered"] > 1.5
    assert means["swapped"] < -1 and means["filler"] < 0.2 and abs(means["random-1"]) < 0.5
