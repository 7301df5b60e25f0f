"""Branching over first tokens: against plain whole-sequence passes and obvious formulas."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steer.engine.base import Done
from steer.engine.branches import chosen, covering, spelled
from steer.engine.rows import Kind, Row
from steer.engine.text import RowText
from steer.intervene.plan import Plan, PlannedBranching
from steer.tasks.extract import extractor
from steer.types import Branch, Branching, Extractor, FinishReason, Phase, Site
from tests.byte_tokenizers import TEXTS, THINK
from tests.engine.plans import arm, baseline, edit, plan, prompt, vector
from tests.helpers import engine, finished, network, reference, run, tokens

K, STEPS = 7, 9
IDS, SITE, V = prompt(3, 8), Site(1), vector(4)
# Words of the tiny tokenizer are `t17`: its answers are the last words with these digits.
PATTERN = r"t(\d*[05])\b"


def branched(*arms, k: int = K, pattern: str = PATTERN, **settings) -> Plan:
    asked = Branching(k, Extractor.REGEX, pattern)
    planned = PlannedBranching(asked, extractor(asked.extractor, asked.pattern))
    one = plan(*arms, samples=k, **{"max_tokens": STEPS, "measure": False} | settings)
    return replace(one, branching=planned)


def steered(name: str = "s"):
    return arm(name, IDS, edit("add", {SITE: V}, phase=Phase.ALL))


def paths(edits, k: int = K, steps: int = STEPS):
    """By brute force: each first token put behind the prompt and continued; tokens and logits."""
    _, first = reference(network(), IDS, 1, edits)
    for token in first[0].topk(k).indices.tolist():
        rest, logits = reference(network(), [*IDS, token], steps - 1, edits)
        yield [token, *rest], torch.cat([first, logits])


def numbers(ids, logits):
    """Log-probability and margin of each token, from logits."""
    probabilities = torch.softmax(logits, -1)
    best = probabilities.topk(2).values
    own = torch.log_softmax(logits, -1)[range(len(ids)), ids]
    return own.tolist(), (best[:, 0] - best[:, 1]).tolist()


def found(ids):
    """The last word that PATTERN matches: its number and its place."""
    places = [i for i, token in enumerate(ids) if token > 2 and token % 5 == 0]
    return (str(ids[places[-1]]), places[-1]) if places else (None, None)


@pytest.mark.parametrize("name", ["baseline", "s"])
def test_branches_equal_plain_passes(name):
    edits = {SITE: lambda h: h + torch.from_numpy(V)} if name == "s" else {}
    with engine() as running:
        one = branched(baseline(IDS), steered())
        events = run(running, [one])[one.request_id]
    done = events[-1]
    assert isinstance(done, Done)
    (mine,) = (each for each in done.branches if each.arm == name)
    answers = dict[str, float]()
    for rank, (ids, logits) in enumerate(paths(edits)):
        assert tokens(events, name, rank) == ids
        branch, (logprobs, margins) = mine.branches[rank], numbers(ids, logits)
        assert (branch.rank, branch.first_token, branch.tokens) == (rank, ids[0], STEPS)
        assert branch.logprob == pytest.approx(sum(logprobs), abs=1e-4)
        answer, place = found(ids)
        assert branch.answer == answer
        if place is None:
            assert (branch.span, branch.confidence) == (None, None)
        else:
            assert branch.span == (place, place + 1)
            assert branch.confidence == pytest.approx(margins[place], abs=1e-5)
            answers[answer] = answers.get(answer, 0) + margins[place]
    assert {
        each.answer: pytest.approx(each.confidence, abs=1e-5) for each in mine.answers
    } == answers
    assert any(each.answer for each in mine.branches)


def test_the_first_branch_is_greedy_decoding_and_company_changes_nothing():
    alone, greedy = (
        branched(baseline(IDS), steered()),
        plan(baseline(IDS), steered(), max_tokens=STEPS),
    )
    crowd = branched(baseline(IDS), steered(), arm("p", prompt(9, 5)), logprobs=3)
    with engine() as running:
        first = run(running, [alone])[alone.request_id]
        others = [plan(baseline(prompt(i, 12)), temperature=1.0, samples=3) for i in range(3)]
        together = run(running, [others[0], crowd, others[1], greedy, others[2]])
    for name in ("baseline", "s"):
        assert tokens(first, name) == tokens(together[greedy.request_id], name)
        for rank in range(K):
            assert tokens(first, name, rank) == tokens(together[crowd.request_id], name, rank)
    mine = {each.arm: each for each in first[-1].branches}
    theirs = {each.arm: each for each in together[crowd.request_id][-1].branches}
    assert all(mine[name] == theirs[name] for name in mine)


def test_branching_comes_after_a_forced_prefix():
    forced = prompt(5, 3)
    with engine() as running:
        one = branched(arm("f", IDS, forced=forced), k=3)
        events = run(running, [one])[one.request_id]
    after = [*IDS, *forced]
    best = reference(network(), after, 1)[1][0].topk(3).indices.tolist()
    (mine,) = events[-1].branches
    for rank, branch in enumerate(mine.branches):
        assert tokens(events, "f", rank)[:3] == list(forced)
        assert branch.first_token == best[rank] == tokens(events, "f", rank)[3]
        assert branch.tokens == STEPS - 3


def test_branches_are_measured_like_samples():
    with engine() as running:
        one = branched(baseline(IDS), steered(), k=3, measure=True)
        done = run(running, [one])[one.request_id][-1]
    base, moved = (network(), {}), (network(), {SITE: lambda h: h + torch.from_numpy(V)})
    for rank, (ids, logits) in enumerate(paths(moved[1], k=3)):
        (measured,) = (m for m in done.measurements if (m.arm, m.sample) == ("s", rank))
        with torch.no_grad():
            plain = base[0](torch.tensor([[*IDS, *ids]])).logits[0, len(IDS) - 1 : -1].float()
        p, q = torch.log_softmax(logits, -1), torch.log_softmax(plain, -1)
        assert np.allclose(measured.kl, (p.exp() * (p - q)).sum(-1), atol=1e-4)


def test_no_first_token_comes_twice():
    with engine() as running:
        one = branched(baseline(IDS), k=30, max_tokens=2)
        (mine,) = run(running, [one])[one.request_id][-1].branches
    assert len({branch.first_token for branch in mine.branches}) == 30


def test_a_stop_text_ends_a_branch_and_what_is_behind_it_is_no_answer():
    with engine() as running:
        plain = branched(baseline(IDS), k=3)
        texts = run(running, [plain])[plain.request_id]
        third = f"t{tokens(texts, 'baseline', 1)[2]}"
        one = branched(baseline(IDS), k=3, pattern=r"(t\d+)", stop=(third,))
        events = run(running, [one])[one.request_id]
    (mine,) = events[-1].branches
    assert finished(events, "baseline", 1).stop == third
    assert mine.branches[1].answer == f"t{tokens(texts, 'baseline', 1)[1]}"
    assert mine.branches[1].span == (1, 2)


def test_no_answer_is_said_of_each_branch():
    with engine() as running:
        one = branched(baseline(IDS), k=3, pattern="never")
        (mine,) = run(running, [one])[one.request_id][-1].branches
    assert [(b.answer, b.span, b.confidence) for b in mine.branches] == [(None, None, None)] * 3
    assert mine.answers == ()
    assert (mine.choices.confidence, mine.choices.aggregated) == (None, None)
    assert mine.choices.logprob is not None


def test_without_branching_there_are_no_margins():
    with engine() as running:
        one = plan(baseline(IDS), logprobs=2)
        events = run(running, [one])[one.request_id]
    assert not any(getattr(event, "margins", ()) for event in events)


CONFIDENCES = st.one_of(st.none(), st.tuples(st.sampled_from("ab"), st.integers(0, 3)))


@given(st.lists(st.tuples(CONFIDENCES, st.integers(-4, 0), st.integers(1, 3)), min_size=2))
def test_choices(drawn):
    given_ = [
        Branch(rank, 5, length, float(logprob), *((of[0], (0, 1), float(of[1])) if of else ()))
        for rank, (of, logprob, length) in enumerate(drawn)
    ]
    mine = chosen("a", given_, seed=1)
    sure = [b for b in given_ if b.answer]
    sums = {b.answer: sum(c.confidence for c in sure if c.answer == b.answer) for b in sure}
    choices = mine.choices
    assert {each.answer: each.confidence for each in mine.answers} == sums
    assert given_[choices.logprob].logprob == max(b.logprob for b in given_)
    assert given_[choices.mean_logprob].mean_logprob == max(b.logprob / b.tokens for b in given_)
    assert choices.random < len(given_)
    if not sure:
        assert choices.confidence is choices.aggregated is None
        return
    assert choices.confidence == min(
        b.rank for b in sure if b.confidence == max(c.confidence for c in sure)
    )
    winner = given_[choices.aggregated]
    assert sums[winner.answer] == max(sums.values())
    assert winner.confidence == max(b.confidence for b in sure if b.answer == winner.answer)


@pytest.mark.parametrize("kind", TEXTS)
def test_an_answer_is_over_the_tokens_that_wrote_its_characters(kind):
    def of(text: str, answer: str, *, before: str = "") -> list[int]:
        row = Row(
            Kind.ARM, arm("a", (65,)), 0, [65, *before.encode(), THINK, *text.encode()], 1, 99
        )
        row.text = RowText(TEXTS[kind].stream((65,)), (), keep=True)
        for token in row.generated:
            row.text.push(token)
        row.text.finish()
        said, reaches = spelled(row, TEXTS[kind])
        assert said == before + text
        begin = said.index(answer)
        covered = covering(reaches, (begin, begin + len(answer)))
        return row.generated[slice(*covered)]

    assert bytes(of("a 42é7", "42")) == b"42"
    assert bytes(of("a 42é7", "é")) == "é".encode()
    assert bytes(of("→€", "€", before="x")) == "€".encode()
    assert bytes(of("7", "7", before="12")) == b"7"  # the special token writes nothing


def test_an_arm_that_breaks_down_has_branches_without_numbers():
    blow = edit("add", {SITE: V}, (1e38,), Phase.DECODE)
    broken = arm("b", IDS, blow, blow)
    with engine() as running:
        one = branched(baseline(IDS), broken, k=3, measure=True)
        events = run(running, [one])[one.request_id]
        alone = branched(baseline(IDS), k=3)
        plain = run(running, [alone])[alone.request_id]
    whole, lost = events[-1].branches
    assert finished(events, "b").reason is FinishReason.DIVERGED
    for branch in lost.branches:
        assert (branch.first_token, branch.tokens, branch.logprob) == (None, 0, None)
        assert branch.mean_logprob is None and branch.answer is None
    assert lost.choices.logprob is lost.choices.mean_logprob is lost.choices.confidence is None
    assert (whole,) == plain[-1].branches
