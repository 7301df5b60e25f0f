"""Rows do not see each other: joining, leaving, sharing, diverging, sampling."""

import random
import time

import numpy as np
import pytest

from steer.engine.base import Done, Failed
from steer.errors import Cancelled, DeadlineExceeded, FailedPrecondition, Overloaded, TooLarge
from steer.types import Chunk, FinishReason, Phase, Sampling, Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, score, vector
from tests.helpers import Limits, engine, finished, run, tokens


def random_plan(seed: int):
    chance = random.Random(seed)
    ids = prompt(seed, chance.choice([1, 3, 9, 40, 100]))
    arms = [baseline(ids)] if chance.random() < 0.8 else []
    for number in range(chance.randint(0 if arms else 1, 3)):
        site = Site(chance.randrange(3))
        phase = chance.choice(list(Phase))
        item = edit("add", {site: vector(seed + number)}, (chance.uniform(-1, 1),), phase)
        arms.append(arm(f"a{number}", ids, item, forced=chance.choice([(), (5, 6, 7)])))
    hot = chance.choice([0.0, 1.0])
    return plan(
        *arms,
        samples=chance.choice([1, 2]),
        max_tokens=chance.randint(3, 20),
        temperature=hot,
        seed=seed,
        ignore_eos=chance.random() < 0.5,
    )


def rows(one, events):
    return {(a.name, s): tokens(events, a.name, s) for a in one.arms for s in range(one.samples)}


def test_results_do_not_depend_on_the_company():
    """Forty different trials at once, more than fit, against each of them alone."""
    limits = Limits(max_rows=24, kv_tokens=24 * 192, step_tokens=48, max_queue=4096)
    plans = [random_plan(seed) for seed in range(40)]
    with engine(limits=limits) as running:
        together = run(running, plans)
        for seed, one in enumerate(plans):
            again = random_plan(seed)
            alone = run(running, [again])[again.request_id]
            crowd = together[one.request_id]
            assert isinstance(alone[-1], Done) and isinstance(crowd[-1], Done)
            assert rows(one, crowd) == rows(again, alone), seed
            for mine, other in zip(crowd[-1].measurements, alone[-1].measurements, strict=True):
                assert mine.first_divergence == other.first_divergence
                assert np.allclose(mine.kl, other.kl, atol=1e-4)
                assert np.allclose(mine.baseline_logprobs, other.baseline_logprobs, atol=1e-4)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_zero_strength_is_the_baseline_logit_for_logit(phase, temperature):
    ids = prompt(1, 30)
    silent = [edit("add", {Site(i): vector(i)}, (0.0,), phase) for i in range(3)]
    one = plan(
        baseline(ids), arm("zero", ids, *silent), temperature=temperature, logprobs=5, seed=3
    )
    with engine() as running:
        events = run(running, [one])[one.request_id]
    chunks = [
        [e for e in events if isinstance(e, Chunk) and e.arm == a] for a in ("baseline", "zero")
    ]
    for mine, other in zip(*chunks, strict=True):
        assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs)
        assert mine.alternatives == other.alternatives
    (measured,) = events[-1].measurements
    assert measured.first_divergence is None and set(measured.kl) == {0.0}
    for receipt in finished(events, "zero").receipts:
        assert receipt.mean_change == 0.0 and receipt.tokens > 0


def test_v_minus_v_is_the_baseline():
    ids, v = prompt(4, 10), {Site(1): vector(9)}
    both = (edit("add", v, (2.0,)), edit("add", v, (-2.0,)))
    one = plan(baseline(ids), arm("both", ids, *both), arm("one", ids, both[0]))
    with engine() as running:
        events = run(running, [one])[one.request_id]
    assert tokens(events, "both") == tokens(events, "baseline") != tokens(events, "one")


def test_decode_only_arms_share_the_prompt_and_others_do_not():
    ids = prompt(2, 50)
    arms = [
        arm(phase.value, ids, edit("add", {Site(0): vector(1)}, phase=phase)) for phase in Phase
    ]
    one = plan(baseline(ids), *arms, measure=False)
    with engine() as running:
        events = run(running, [one])[one.request_id]
        alone = {}
        for item in arms:
            single = plan(item, measure=False)
            alone[item.name] = tokens(run(running, [single])[single.request_id], item.name)
    cached = {a.name: finished(events, a.name).usage.cached_tokens for a in one.arms}
    assert cached == {
        "baseline": 0,
        "prompt": 0,
        "all": 0,
        "decode": 49,
        "first": 49,
        "generated": 49,
    }
    for item in arms:
        assert tokens(events, item.name) == alone[item.name]


def test_receipts_count_what_was_touched():
    ids, v = prompt(3, 10), vector(5)
    expected = {
        Phase.PROMPT: 10,
        Phase.GENERATED: 11,
        Phase.DECODE: 12,
        Phase.FIRST: 1,
        Phase.ALL: 21,
    }
    arms = [arm(p.value, ids, edit("add", {Site(1): v, Site(2): v}, phase=p)) for p in Phase]
    one = plan(baseline(ids), *arms)
    with engine() as running:
        events = run(running, [one])[one.request_id]
    for phase, count in expected.items():
        receipts = finished(events, phase.value).receipts
        assert [r.site for r in receipts] == [Site(1), Site(2)]
        for receipt in receipts:
            assert receipt.tokens == count and receipt.mean_change > 0.01
    assert finished(events, "baseline").receipts == ()


def test_mean_change_is_the_norm_of_the_change_over_the_norm_before():
    import torch

    from steer.intervene.sites import visiting
    from tests.helpers import network

    ids, v, seen = prompt(3, 10), vector(5), {}
    with torch.no_grad(), visiting(network(), {}):
        net = network()
        with visiting(net, {Site(1): lambda h: seen.update(h=h[0].clone())}):
            net(torch.tensor([ids]))
    wanted = (np.linalg.norm(v) / seen["h"].norm(dim=-1)).mean().item()
    one = plan(arm("s", ids, edit("add", {Site(1): v}, phase=Phase.PROMPT)), measure=False)
    with engine() as running:
        (receipt,) = finished(run(running, [one])[one.request_id], "s").receipts
    assert receipt.mean_change == pytest.approx(wanted, rel=1e-4)


def test_special_tokens_in_the_prompt_are_left_alone():
    ids = (1, *prompt(3, 5), 1, *prompt(4, 3))
    one = plan(arm("s", ids, edit("add", {Site(0): vector(1)}, phase=Phase.PROMPT)))
    with engine() as running:
        (receipt,) = finished(run(running, [one])[one.request_id], "s").receipts
    assert receipt.tokens == len(ids) - 2


def test_a_diverging_row_ends_alone_and_leaves_nothing_behind():
    ids = prompt(1, 20)
    broken = [edit("add", {Site(0): vector(1)}, (1e38,), p) for p in (Phase.ALL, Phase.DECODE)]
    with engine() as running:
        clean = plan(baseline(ids))
        wanted = tokens(run(running, [clean])[clean.request_id], "baseline")
        for _ in range(3):
            one = plan(
                baseline(ids),
                arm("x", ids, broken[0], broken[0]),
                arm("y", ids, broken[1], broken[1]),
            )
            later = plan(baseline(ids), max_tokens=12)
            answers = run(running, [one, later])
            events = answers[one.request_id]
            assert finished(events, "x").reason is FinishReason.DIVERGED
            assert finished(events, "y").reason is FinishReason.DIVERGED
            assert tokens(events, "baseline") == wanted
            assert tokens(answers[later.request_id], "baseline") == wanted


def test_samples_are_coupled_across_arms_and_differ_from_each_other():
    ids = prompt(1, 6)
    silent = edit("add", {Site(1): vector(1)}, (0.0,))
    one = plan(baseline(ids), arm("zero", ids, silent), samples=4, temperature=1.0, seed=11)
    with engine() as running:
        events = run(running, [one])[one.request_id]
        other = plan(baseline(ids), samples=4, temperature=1.0, seed=12)
        reseeded = run(running, [other])[other.request_id]
    base = [tokens(events, "baseline", s) for s in range(4)]
    assert base == [tokens(events, "zero", s) for s in range(4)]
    assert len({tuple(row) for row in base}) == 4
    assert base != [tokens(reseeded, "baseline", s) for s in range(4)]


def test_a_forced_prefix_is_followed_and_counted_as_generated():
    ids, forced = prompt(1, 6), (40, 41, 42)
    continued = plan(baseline((*ids, *forced)), max_tokens=9)
    item = edit("add", {Site(1): vector(1)}, (0.0,), Phase.GENERATED)
    one = plan(baseline(ids), arm("f", ids, item, forced=forced), max_tokens=12)
    with engine() as running:
        events = run(running, [one])[one.request_id]
        wanted = tokens(run(running, [continued])[continued.request_id], "baseline")
    assert tokens(events, "f") == [*forced, *wanted]
    assert finished(events, "f").receipts[0].tokens == 11
    (measured,) = events[-1].measurements
    assert len(measured.kl) == 12 and max(measured.kl) < 1e-9


def test_a_logit_bias_is_part_of_the_arm():
    ids = prompt(1, 6)
    one = plan(baseline(ids), arm("b", ids, logit_bias={50: 1e4}))
    with engine() as running:
        events = run(running, [one])[one.request_id]
    assert tokens(events, "b") == [50] * 12
    assert events[-1].measurements[0].mean_kl > 0.5


def test_stop_conditions():
    ids = prompt(1, 6)
    with engine() as running:

        def ending(**settings):
            one = plan(baseline(ids), **settings)
            events = run(running, [one])[one.request_id]
            text = "".join(e.text for e in events if isinstance(e, Chunk))
            return tokens(events, "baseline"), text, finished(events, "baseline")

        free, text, end = ending()
        assert end.reason is FinishReason.LENGTH and len(free) == 12
        third = free[3]
        cut = free.index(third) + 1
        got, _, end = ending(stop_token_ids=(third,))
        assert got == free[:cut] and end.reason is FinishReason.STOP and end.stop == f"t{third}"
        word = f"t{third}"
        got, stopped, end = ending(stop=(word,))
        assert end.reason is FinishReason.STOP_SEQUENCE and end.stop == word
        assert stopped == text[: text.index(word)]
        got, _, end = ending(stop_token_ids=tuple(range(97)), min_tokens=4)
        assert len(got) == 0 or end.usage.completion_tokens == len(got)


def test_the_context_ends_a_row():
    ids = prompt(1, 250)
    one = plan(baseline(ids), max_tokens=50)
    with engine() as running:
        events = run(running, [one])[one.request_id]
    assert len(tokens(events, "baseline")) == 6
    assert finished(events, "baseline").reason is FinishReason.LENGTH


def test_cancelling_frees_rows_by_the_next_step():
    limits = Limits(max_rows=1, kv_tokens=256, step_tokens=64, max_queue=64)
    with engine(limits=limits) as running:
        events: list[object] = []
        endless = plan(baseline(prompt(1, 5)), max_tokens=240)
        running.submit(endless, lambda batch: events.extend(batch))
        while not events:
            time.sleep(0.001)
        waiting = plan(baseline(prompt(2, 5)))
        running.cancel(endless.request_id)
        answers = run(running, [waiting])
        assert len(tokens(answers[waiting.request_id], "baseline")) == 12
        last = events[-1][1][-1]
        assert isinstance(last, Failed) and isinstance(last.error, Cancelled)
        running.cancel("nobody")
        assert running.load() == (0, 0)


def test_a_deadline_ends_the_trial():
    one = plan(baseline(prompt(1, 5)), deadline=time.monotonic() - 1)
    with engine() as running:
        last = run(running, [one])[one.request_id][-1]
    assert isinstance(last, Failed) and isinstance(last.error, DeadlineExceeded)


def test_limits_refuse_what_never_fits_and_what_does_not_fit_now():
    limits = Limits(max_rows=4, kv_tokens=4 * 64, step_tokens=64, max_queue=4)
    ids = prompt(1, 5)
    with engine(limits=limits) as running:
        with pytest.raises(TooLarge, match="5 rows"):
            running.submit(plan(baseline(ids), samples=5), lambda batch: None)
        with pytest.raises(TooLarge, match="key-value"):
            running.submit(plan(baseline(ids), samples=4, max_tokens=100), lambda batch: None)
        accepted = []
        with pytest.raises(Overloaded) as refused:
            for _ in range(50):
                one = plan(baseline(ids), samples=4, max_tokens=20)
                running.submit(one, lambda batch: accepted.append(batch))
        assert refused.value.retry_after


def test_must_fire_fails_the_call_when_nothing_was_touched():
    ids = prompt(1, 5)
    item = edit("add", {Site(1): vector(1)}, phase=Phase.GENERATED, must_fire=True)
    one = plan(arm("s", ids, item), max_tokens=1)
    fine = plan(arm("s", ids, item), max_tokens=2)
    with engine() as running:
        answers = run(running, [one, fine])
    last = answers[one.request_id][-1]
    assert isinstance(last, Failed) and isinstance(last.error, FailedPrecondition)
    assert isinstance(answers[fine.request_id][-1], Done)


def test_a_fault_in_a_step_fails_its_trials_and_the_engine_goes_on():
    ids = prompt(1, 5)
    with engine() as running:
        bad = plan(baseline((96, 10**6)))
        last = run(running, [bad])[bad.request_id][-1]
        assert isinstance(last, Failed) and last.error.code == "INTERNAL"
        good = plan(baseline(ids))
        assert isinstance(run(running, [good])[good.request_id][-1], Done)


def test_scoring_is_not_disturbed_by_its_company():
    ids, continuation = prompt(5, 6), prompt(6, 100)
    one, again = score(ids, continuation), score(ids, continuation)
    others = [random_plan(seed) for seed in range(10)]
    with engine() as running:
        crowd = run(running, [one, *others])[one.request_id][-1]
        alone = run(running, [again])[again.request_id][-1]
    assert np.allclose(crowd.scores[0].logprobs, alone.scores[0].logprobs, atol=1e-4)


def test_sampling_defaults_are_greedy():
    assert Sampling().temperature == 0.0


def test_an_arm_goes_on_being_measured_after_its_baseline_has_ended():
    """Greedy rows of different prompts may agree on tokens until one of them meets its end."""
    ids = prompt(1, 20)
    with engine() as running:
        free = plan(baseline(ids), max_tokens=1)
        (first,) = tokens(run(running, [free])[free.request_id], "baseline")
        agrees = arm("s", prompt(2, 9), forced=(first,))
        one = plan(baseline(ids), agrees, max_tokens=6, ignore_eos=False, stop_token_ids=(first,))
        events = run(running, [one])[one.request_id]
    assert finished(events, "baseline").reason is FinishReason.STOP
    assert len(events[-1].measurements[0].kl) == len(tokens(events, "s")) > 1


def test_seeds_use_all_their_bits():
    from steer.engine.embedded.sampler import uniforms

    assert uniforms(2**63 + 5, 0, 3) != uniforms(2**63 + 6, 0, 3)
    assert uniforms(2**64 - 1, 0, 3) == uniforms(2**64 - 1, 0, 5)[:3]
