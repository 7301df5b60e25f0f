"""Trials through the SDK and a real channel: what is answered, and that rows are freed."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import numpy as np
import pytest

import steer
from steer.store import Store, bundled
from steer.tasks import a1
from steer.types import Chunk, Finished, FinishReason, Op, Point, Site, Started
from tests.helpers import until
from tests.server.conftest import Serve, Served

PROMPT = a1.problems("report", 1)[0].prompt
RLOO = Store(bundled()).get("a1-rloo")
SITE = Site(2)
ARRAY = RLOO.tensors[SITE]
LONG = {"max_tokens": 40, "ignore_eos": True}


def wait_until_idle(served: Served) -> None:
    until(lambda: served.load() == (0, 0))


def same(left: steer.Comparison, right: steer.Comparison) -> bool:
    """Equal tokens, texts and receipts in every row; batch composition may move the last bit of a
    receipt's mean."""
    pairs = zip(left, right, strict=True)
    return all(
        (a.token_ids, a.text, a.finish_reason) == (b.token_ids, b.text, b.finish_reason)
        and [r.tokens for r in a.receipts] == [r.tokens for r in b.receipts]
        and [r.mean_change for r in a.receipts]
        == pytest.approx([r.mean_change for r in b.receipts], rel=1e-4)
        for one, other in pairs
        for a, b in zip(one.samples, other.samples, strict=True)
    )


# ---- what is applied, and what it did -----------------------------------------------------------


def test_started_says_what_is_applied_and_receipts_that_it_was(client):
    result = client.compare(PROMPT, steer.add("a1-rloo", strength=0.5), max_tokens=16)
    baseline, steered = result.started.arms
    assert (baseline.name, baseline.interventions) == ("baseline", ())
    assert result.started.model == "organism/a1"
    assert result.started.fingerprint == RLOO.card.fingerprint
    (applied,) = steered.interventions
    assert applied.coefficients == ((SITE, 0.5),)
    assert applied.content_hash == RLOO.content_hash
    assert applied.where == RLOO.card.where
    # Phase `decode` leaves what is before the last prompt token alone.
    assert baseline.shares_prefill and steered.shares_prefill
    (receipt,) = result.steered.receipts
    assert (receipt.op, receipt.operand, receipt.site) == ("add", "a1-rloo", SITE)
    assert (receipt.content_hash, receipt.coefficient) == (RLOO.content_hash, 0.5)
    # Every token that predicts a generated one: the last of the prompt, all generated but the last.
    assert receipt.tokens == len(result.steered.token_ids)
    assert 0 < receipt.mean_change < 1
    assert result.baseline.receipts == ()


def test_the_trained_vector_makes_the_model_think(client):
    result = client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=16)
    problem = a1.problems("report", 1)[0]
    assert a1.correct(problem, result.steered.text)
    assert result.baseline.text != result.steered.text
    measured = result.measurements["steered"]
    assert measured.first_divergence == 0
    assert len(measured.kl) == len(measured.baseline_logprobs) == len(result.steered.token_ids)
    assert measured.mean_kl > 0
    assert sum(measured.logprobs) > sum(measured.baseline_logprobs)


def test_zero_strength_is_the_baseline_exactly(client):
    result = client.compare(PROMPT, steer.add("a1-rloo"), noise_floor=True, max_tokens=16)
    floor = result["noise_floor"]
    assert floor.token_ids == result.baseline.token_ids
    assert floor.logprobs == result.baseline.logprobs
    assert set(floor.measurement.kl) == {0.0}
    assert floor.measurement.first_divergence is None
    assert floor.receipts[0].coefficient == floor.receipts[0].mean_change == 0


def test_an_inline_vector_equals_the_stored_one(client):
    arms = {
        "stored": steer.add("a1-rloo"),
        "array": steer.add(ARRAY, layer=2, where="decode"),
        "sites": steer.add({2: ARRAY.tolist()}, where="decode"),
    }
    result = client.compare(PROMPT, arms=arms, max_tokens=16)
    tokens = {result[name].token_ids for name in arms}
    hashes = {arm.interventions[0].content_hash for arm in result.started.arms[1:]}
    assert len(tokens) == len(hashes) == 1
    assert result["array"].logprobs == result["stored"].logprobs


def coefficient(result: steer.Comparison) -> float:
    ((_, value),) = result.started.arms[1].interventions[0].coefficients
    return value


def test_relative_strength_is_a_fraction_of_the_card_s_norm(client):
    result = client.compare(PROMPT, steer.add("a1-rloo", strength=0.3, relative=True), max_tokens=2)
    size = coefficient(result) * np.linalg.norm(ARRAY)
    assert size == pytest.approx(0.3 * RLOO.card.residual_norms[SITE], rel=1e-5)


def test_relative_strength_of_an_inline_vector_is_of_the_norm_measured_on_the_prompt(served):
    recipe = steer.add(ARRAY, layer=1, point="mlp_out", strength=0.3, relative=True)
    result = served.client.compare(PROMPT, recipe, max_tokens=2)
    site = Site(1, Point.MLP_OUT)
    prompt = served.client.tokenize(PROMPT).token_ids
    measured = served.server._steering.core.engine.norms(prompt, (site,))
    size = coefficient(result) * np.linalg.norm(ARRAY)
    assert size == pytest.approx(0.3 * measured[site], rel=1e-5)


def test_random_controls_are_seeded_and_norm_matched(client):
    arms = {
        "a": steer.random_like("a1-rloo", seed=1),
        "b": steer.random_like("a1-rloo", seed=1),
        "c": steer.random_like("a1-rloo", seed=2),
        "large": steer.random_like("a1-rloo", seed=2**64 - 1),
        "larger by one": steer.random_like("a1-rloo", seed=2**64 - 2),
    }
    result = client.compare(PROMPT, arms=arms, max_tokens=12)
    hashes = [arm.interventions[0].content_hash for arm in result.started.arms[1:]]
    assert hashes[0] == hashes[1] and len(set(hashes)) == 4
    assert result["a"].logprobs == result["b"].logprobs
    operands = [result[name].receipts[0].operand for name in ("a", "c")]
    assert operands == ["random_like(a1-rloo, seed=1)", "random_like(a1-rloo, seed=2)"]


def test_one_vector_at_several_points_gives_a_receipt_for_each(client):
    recipe = steer.add({Site(layer, point): ARRAY for layer in range(3) for point in Point})
    result = client.compare(PROMPT, recipe, max_tokens=4)
    touched = {receipt.site: receipt.tokens for receipt in result.steered.receipts}
    assert len(touched) == 15 and min(touched.values()) > 0


def test_an_ablated_direction_is_reported(client):
    result = client.compare(PROMPT, steer.ablate("a1-rloo", layer=2, where="all"), max_tokens=4)
    (receipt,) = result.steered.receipts
    prompt = client.tokenize(PROMPT)
    # Special tokens of the prompt are left alone.
    assert receipt.tokens == len(prompt.token_ids) - sum(prompt.special) + 3
    assert receipt.op == "project"


def test_an_intervention_that_must_fire_and_does_not_is_an_error(client):
    recipe = steer.add("a1-rloo", where="generated", must_fire=True)
    with pytest.raises(steer.FailedPrecondition, match="touched no token") as caught:
        client.compare(PROMPT, recipe, max_tokens=1)
    assert caught.value.reason == "DID_NOT_FIRE"


# ---- streams ------------------------------------------------------------------------------------

SETTINGS = [
    {},
    {"temperature": 1.0, "seed": 5, "samples": 3},
    {"temperature": 0.8, "top_p": 0.9, "top_k": 20, "logprobs": 3, "noise_floor": True},
    {"stop": ["ANSWER"], "repetition_penalty": 1.2, "min_tokens": 2},
    {"baseline": False},
    {"measure": False},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_stream_says_what_compare_answers(client, settings):
    asked = {"max_tokens": 14} | settings
    whole = client.compare(PROMPT, steer.add("a1-rloo"), **asked)
    with client.stream(PROMPT, steer.add("a1-rloo"), **asked) as stream:
        events = list(stream)
        assert same(stream.result(), whole)
    assert isinstance(events[0], Started) and isinstance(events[-1], tuple)
    for arm in whole:
        for row in arm.samples:
            mine = [e for e in events if getattr(e, "arm", "") == row.arm]
            mine = [e for e in mine if e.sample == row.sample]
            assert isinstance(mine[-1], Finished)
            assert all(isinstance(e, Chunk) for e in mine[:-1])
            assert "".join(e.text for e in mine[:-1]) == row.text
            assert sum((e.token_ids for e in mine[:-1]), ()) == row.token_ids


def test_samples_differ_by_arm_only_through_the_intervention(client):
    asked = {"temperature": 1.0, "samples": 8, "seed": 3, "max_tokens": 6}
    silent = steer.add("a1-rloo", strength=0.0)
    result = client.compare(PROMPT, silent, **asked)
    rows = [row.token_ids for row in result.baseline.samples]
    assert [row.token_ids for row in result.steered.samples] == rows
    assert len(set(rows)) > 1
    again = client.compare(PROMPT, silent, **asked)
    assert same(result, again)
    other = client.compare(PROMPT, silent, **asked | {"seed": 4})
    assert [row.token_ids for row in other.baseline.samples] != rows


def test_leaving_a_stream_frees_its_rows(served):
    with served.client.stream(PROMPT, steer.add("a1-rloo"), samples=64, **LONG) as stream:
        for event in stream:
            if isinstance(event, Chunk):
                break
        assert served.load()[0] > 0
    wait_until_idle(served)


def test_a_deadline_ends_the_call_and_frees_its_rows(served):
    with pytest.raises(steer.DeadlineExceeded):
        served.client.compare(PROMPT, steer.add("a1-rloo"), samples=64, timeout=0.05, **LONG)
    wait_until_idle(served)
    with pytest.raises(steer.DeadlineExceeded):
        served.client.stream(
            PROMPT, steer.add("a1-rloo"), samples=64, timeout=0.05, **LONG
        ).result()
    wait_until_idle(served)


def test_closing_the_client_frees_its_rows(served):
    with steer.Client(served.address) as other:
        other.stream(PROMPT, steer.add("a1-rloo"), samples=64, **LONG)
        time.sleep(0.1)
    wait_until_idle(served)


async def test_a_closed_client_says_so(served):
    closed, later = steer.Client(served.address), steer.AsyncClient(served.address)
    for _ in range(2):
        closed.close()
        await later.close()
    for call in (closed.model, lambda: closed.stream(PROMPT), lambda: list(closed.vectors.list())):
        with pytest.raises(steer.FailedPrecondition, match="this client was closed"):
            call()
    with pytest.raises(steer.FailedPrecondition, match="this client was closed"):
        await later.model()


def test_forty_at_once_say_what_they_say_alone(client):
    def ask(i: int) -> steer.Comparison:
        recipe = [steer.add("a1-rloo"), steer.add("a1-dom"), steer.random_like("a1-rloo", seed=i)]
        hot = {"temperature": 0.7, "seed": i} if i % 2 else {}
        prompt = a1.problems("report", 40)[i].prompt
        return client.compare(prompt, recipe[i % 3], max_tokens=4 + i % 9, **hot)

    alone = [ask(i) for i in range(40)]
    with ThreadPoolExecutor(40) as pool:
        together = list(pool.map(ask, range(40)))
    assert all(map(same, together, alone))


async def test_the_asynchronous_client_gets_the_same(served):
    async with steer.AsyncClient(served.address) as client:
        theirs = await client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=12)
        stream = client.stream(PROMPT, steer.add("a1-rloo"), max_tokens=12)
        assert same(await stream.result(), theirs)
    assert same(served.client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=12), theirs)


# ---- prompts, prefixes, biases, ends ------------------------------------------------------------


def test_text_and_token_ids_are_the_same_prompt(client):
    tokens = client.tokenize(PROMPT)
    assert " ".join(tokens.pieces) == PROMPT
    assert client.tokenize(token_ids=tokens.token_ids) == tokens
    by_ids = client.compare(token_ids=tokens.token_ids, max_tokens=8)
    assert same(client.compare(PROMPT, max_tokens=8), by_ids)


def test_a_forced_prefix_begins_the_answer(client):
    forced = steer.arm(forced_prefix="THINK")
    result = client.compare(PROMPT, arms={"forced": forced}, max_tokens=16)
    arm = result["forced"]
    (think,) = client.tokenize("THINK").token_ids
    assert result.started.arms[1].forced_token_ids == (think,)
    assert arm.token_ids[0] == think and arm.text.startswith(" THINK")
    assert len(arm.measurement.kl) == len(arm.token_ids)
    assert a1.parse(arm.text).thinks


def test_a_logit_bias_acts_in_its_arm_alone(client):
    (blue,) = client.tokenize("blue").token_ids
    arms = {"biased": steer.arm(logit_bias={blue: 100.0}), "plain": steer.arm()}
    result = client.compare(PROMPT, arms=arms, **LONG | {"max_tokens": 5})
    assert set(result["biased"].token_ids) == {blue}
    assert result["plain"].token_ids == result.baseline.token_ids
    assert blue not in result.baseline.token_ids
    everywhere = client.compare(PROMPT, max_tokens=5, ignore_eos=True, logit_bias={blue: 100.0})
    assert set(everywhere.baseline.token_ids) == {blue}


def test_an_arm_may_have_another_prompt(client):
    work = PROMPT.replace("quiz", "work")
    result = client.compare(PROMPT, arms={"work": steer.arm(prompt=work)}, max_tokens=16)
    assert result["work"].token_ids == client.compare(work, max_tokens=16).baseline.token_ids
    assert a1.parse(result["work"].text).thinks and not a1.parse(result.baseline.text).thinks


def test_how_rows_end(client):
    ended = client.compare(PROMPT, max_tokens=30).baseline
    assert ended.finish_reason is FinishReason.STOP
    assert ended.samples[0].stop == a1.EOS and a1.EOS not in ended.text
    cut = client.compare(PROMPT, max_tokens=1).baseline
    assert (cut.finish_reason, len(cut.token_ids)) == (FinishReason.LENGTH, 1)
    (answer,) = client.tokenize("ANSWER").token_ids
    at_token = client.compare(PROMPT, stop_token_ids=[answer]).baseline
    assert (at_token.finish_reason, at_token.token_ids) == (FinishReason.STOP, (answer,))
    at_text = client.compare(PROMPT, steer.add("a1-rloo"), stop=" ANSWER").steered
    assert at_text.finish_reason is FinishReason.STOP_SEQUENCE
    assert at_text.samples[0].stop == " ANSWER" and "ANSWER" not in at_text.text
    full = client.compare(PROMPT, max_tokens=1000, ignore_eos=True).baseline
    tokens = len(client.tokenize(PROMPT).token_ids)
    context = client.model().context_length
    assert (full.finish_reason, tokens + len(full.token_ids)) == (FinishReason.LENGTH, context)


def test_settings_far_out_are_harmless(client):
    for settings in (
        {"max_tokens": 2**32 - 1, "temperature": 1.0},
        {"temperature": 5e-324},
        {"temperature": 1e300, "top_k": 2**32 - 1},
        {"repetition_penalty": 1e-320, "temperature": 1.0},
        {"repetition_penalty": 1e300},
        {"seed": 2**64 - 1, "temperature": 1.0},
        {"temperature": 1.0, "top_p": 1e-300, "min_p": 1.0},
    ):
        assert client.compare(PROMPT, **settings).baseline.token_ids
    cold = client.compare(PROMPT, temperature=5e-324).baseline.token_ids
    assert cold == client.compare(PROMPT).baseline.token_ids


def test_a_strength_beyond_numbers_ends_the_row_and_no_other(client):
    arms = {"huge": steer.add("a1-rloo", strength=3e38), "fine": steer.add("a1-rloo")}
    result = client.compare(PROMPT, arms=arms, max_tokens=12)
    assert result["huge"].finish_reason is FinishReason.DIVERGED
    assert (
        result["fine"].token_ids
        == client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=12).steered.token_ids
    )


# ---- scores -------------------------------------------------------------------------------------


def test_scores_are_those_of_the_generated_text(client):
    made = client.compare(PROMPT, steer.add("a1-rloo"), max_tokens=12, ignore_eos=True)
    scores = client.score(PROMPT, made.steered.token_ids, steer.add("a1-rloo"))
    measured = made.steered.measurement
    assert scores.token_ids == made.steered.token_ids
    assert scores.steered.logprobs == pytest.approx(made.steered.logprobs, abs=1e-4)
    assert scores.steered.ranks == made.steered.ranks == (1,) * 12
    assert scores.baseline.logprobs == pytest.approx(measured.baseline_logprobs, abs=1e-4)
    assert scores.steered.kl == pytest.approx(measured.kl, abs=1e-4)
    assert scores.steered.total > scores.baseline.total
    assert scores.steered.receipts[0].tokens == 12
    text = client.score(PROMPT, "ANSWER 5", {"x": steer.add("a1-rloo")}["x"])
    assert len(text.steered.logprobs) == 2


# ---- model, store, health -----------------------------------------------------------------------


def test_the_model_introduces_itself(client):
    model = client.model()
    assert (model.id, model.architecture) == ("organism/a1", "LlamaForCausalLM")
    assert (model.layers, model.d_model, model.context_length) == (3, 64, 64)
    assert model.fingerprint == RLOO.card.fingerprint
    assert model.points == tuple(Point) and set(model.ops) == {op.name for op in get_args(Op)}
    assert not model.has_chat_template


def test_vectors_are_listed_and_shown(client):
    listed = list(client.vectors.list())
    assert [vector.name for vector in listed] == Store(bundled()).names()
    assert all(vector.card == {} for vector in listed)
    assert [v.name for v in client.vectors.list(method="rloo")] == ["a1-rloo"]
    assert list(client.vectors.list(model="another")) == []
    shown = client.vectors.get("a1-rloo")
    assert shown.content_hash == RLOO.content_hash
    assert shown.card == RLOO.card.to_dict()
    assert shown.norms == pytest.approx([float(np.linalg.norm(ARRAY))])


def test_health_and_token_by_token(client):
    assert client.health()
    tokens = client.tokenize("quiz 3 <eos>")
    assert tokens.special == (False, False, True)


def test_limits_of_a_server_are_told(serve: Serve):
    small = serve(max_rows=4, kv_tokens=4 * 64)
    model = small.client.model()
    assert (model.max_rows, model.kv_tokens) == (4, 256)
    with pytest.raises(steer.TooLarge, match="runs 4") as caught:
        small.client.compare(PROMPT, steer.add("a1-rloo"), samples=2)
    assert caught.value.reason == "TOO_MANY_ROWS"
    assert small.client.compare(PROMPT, steer.add("a1-rloo")).steered.token_ids
