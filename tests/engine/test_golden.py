"""The engine against `model.generate` and plain whole-sequence passes; `test_interventions` has the
ops."""

import numpy as np
import pytest
import torch

from steer.engine.base import Done
from steer.engine.embedded import probe
from steer.intervene import sites
from steer.types import Phase, Point, Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, score, vector
from tests.helpers import CONFIGS, LIMITS, Limits, engine, network, reference, run, tokens

LENGTHS = (1, 2, 5, 17, 90)


def generate(kind: str, ids: tuple[int, ...], count: int) -> list[int]:
    net = network(kind)
    given = torch.tensor([ids])
    out = net.generate(
        given,
        attention_mask=torch.ones_like(given),
        max_new_tokens=count,
        min_new_tokens=count,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    return out[0, len(ids) :].tolist()


@pytest.mark.parametrize("kind", CONFIGS)
def test_greedy_equals_generate_alone_and_in_a_mixed_batch(kind):
    prompts = [prompt(i, length) for i, length in enumerate(LENGTHS)]
    plans = [plan(baseline(ids)) for ids in prompts]
    with engine(kind) as running:
        together = run(running, plans)
        alone = run(running, [plan(baseline(prompts[3]))])
    for ids, one in zip(prompts, plans, strict=True):
        assert tokens(together[one.request_id], "baseline") == generate(kind, ids, 12)
    assert tokens(next(iter(alone.values())), "baseline") == generate(kind, prompts[3], 12)


def touched(phase: Phase):
    return {
        Phase.PROMPT: lambda i, p: i < p,
        Phase.GENERATED: lambda i, p: i >= p,
        Phase.DECODE: lambda i, p: i >= p - 1,
        Phase.FIRST: lambda i, p: i == p - 1,
        Phase.ALL: lambda i, p: True,
    }[phase]


@pytest.mark.parametrize("kind", CONFIGS)
def test_what_is_added_at_the_points_adds_up(kind):
    """resid_pre + attn_out = resid_mid, + mlp_out = resid_post, and that is the next resid_pre."""
    with engine(kind) as running:
        net = running._model.network
        assert sites.points(net) == tuple(Point)
        at = [Site(layer, p) for layer in range(3) for p in Point]
        with torch.inference_mode():
            found = probe.activations(net, prompt(0, 9), at)
    for layer in range(3):
        pre, attn, mlp, post = (
            found[Site(layer, p)]
            for p in (Point.RESID_PRE, Point.ATTN_OUT, Point.MLP_OUT, Point.RESID_POST)
        )
        assert torch.allclose(pre + attn + mlp, post, atol=1e-4)
        assert torch.allclose(pre + attn, found[Site(layer, Point.RESID_MID)], atol=1e-4)
        if layer < 2:
            assert torch.equal(post, found[Site(layer + 1, Point.RESID_PRE)])


def test_several_interventions_apply_in_the_order_given():
    v, site, ids = vector(1), Site(1), prompt(3, 7)
    w = v + vector(2)  # not orthogonal to v, so that the order matters
    unit = torch.from_numpy(w / np.linalg.norm(w))

    def add_v(h):
        return h + torch.from_numpy(v)

    def ablate_w(h):
        return h - (h @ unit)[..., None] * unit

    first, second = edit("add", {site: v}), edit("project", {site: w}, (1.0, 0.0, 0.0))
    with engine() as running:
        one = plan(baseline(ids), arm("av", ids, first, second), arm("va", ids, second, first))
        events = run(running, [one])[one.request_id]
    net = network()
    assert tokens(events, "av") == reference(net, ids, 12, {site: lambda h: ablate_w(add_v(h))})[0]
    assert tokens(events, "va") == reference(net, ids, 12, {site: lambda h: add_v(ablate_w(h))})[0]
    assert tokens(events, "av") != tokens(events, "va")


def test_score_and_kl_equal_plain_passes():
    ids, continuation, site = prompt(5, 6), prompt(6, 80), Site(1)
    v = vector(4)
    steered = arm("s", ids, edit("add", {site: v}, phase=Phase.DECODE))
    with engine() as running:
        one = score(ids, continuation, steered)
        done = run(running, [one])[one.request_id][-1]
    assert isinstance(done, Done)
    base = torch.log_softmax(forced(network(), ids, continuation, {}), -1)
    moved = torch.log_softmax(forced(network(), ids, continuation, {site: v}), -1)
    picked = (range(len(continuation)), list(continuation))
    by_name = {scored.name: scored for scored in done.scores}
    assert np.allclose(by_name["baseline"].logprobs, base[picked], atol=1e-4)
    assert np.allclose(by_name["s"].logprobs, moved[picked], atol=1e-4)
    assert np.allclose(by_name["s"].kl, (moved.exp() * (moved - base)).sum(-1), atol=1e-4)
    ranks = (base > base[picked][:, None]).sum(-1) + 1
    assert list(by_name["baseline"].ranks) == ranks.tolist()
    assert by_name["s"].receipts[0].tokens == len(continuation)


def forced(net, ids, continuation, adds):
    """Logits (len(continuation), vocab) of a plain pass with vectors added from P-1 on."""

    def visit_with(direction):
        def visit(hidden):
            hidden[0, len(ids) - 1 :] += torch.from_numpy(direction)

        return visit

    whole = torch.tensor([[*ids, *continuation]])
    with torch.no_grad(), sites.visiting(net, {s: visit_with(v) for s, v in adds.items()}):
        return net(whole, use_cache=False).logits[0, len(ids) - 1 : -1].float()


@pytest.mark.parametrize("phase", [Phase.DECODE, Phase.ALL])
def test_measurements_of_a_pair_equal_plain_passes(phase):
    """KL and log-probabilities along the steered text, although the shadow parts late."""
    ids, site, v = prompt(7, 9), Site(1), vector(8, 4.0)
    with engine() as running:
        one = plan(baseline(ids), arm("s", ids, edit("add", {site: v}, phase=phase)))
        events = run(running, [one])[one.request_id]
    generated = tokens(events, "s")
    (measured,) = events[-1].measurements
    own = torch.log_softmax(
        reference(network(), ids, 12, {site: lambda h: h + torch.from_numpy(v)}, touched(phase))[1],
        -1,
    )
    base = torch.log_softmax(forced(network(), ids, generated, {}), -1)
    assert np.allclose(measured.kl, (own.exp() * (own - base)).sum(-1), atol=1e-4)
    assert np.allclose(measured.baseline_logprobs, base[range(12), generated], atol=1e-4)
    assert np.allclose(measured.logprobs, own[range(12), generated], atol=1e-4)
    other = tokens(events, "baseline")
    differs = [i for i, (a, b) in enumerate(zip(generated, other, strict=True)) if a != b]
    assert measured.first_divergence == (differs[0] if differs else None)


def test_a_long_prompt_is_prefilled_in_chunks_while_others_go_on():
    limits = Limits(max_rows=64, kv_tokens=LIMITS.kv_tokens, step_tokens=16, max_queue=64)
    long, short = prompt(1, 200), prompt(2, 4)
    with engine(limits=limits) as running:
        plans = [plan(baseline(long)), plan(baseline(short))]
        order = []
        answers = run(running, plans)
        for one, ids in zip(plans, (long, short), strict=True):
            order.append(tokens(answers[one.request_id], "baseline"))
            assert order[-1] == generate("llama", ids, 12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_runs_and_zero_strength_is_still_exact(dtype):
    from steer.engine.embedded.engine import EmbeddedEngine
    from steer.models.load import _cast
    from tests.helpers import loaded

    model = loaded()
    _cast(model.network, dtype)
    running = EmbeddedEngine(model, LIMITS)
    ids, v = prompt(1, 20), {Site(1): vector(2)}
    try:
        zero, full = edit("add", v, (0.0,)), edit("add", v)
        one = plan(baseline(ids), arm("zero", ids, zero), arm("full", ids, full))
        events = run(running, [one])[one.request_id]
    finally:
        running.close()
    by_arm = {m.arm: m for m in events[-1].measurements}
    assert by_arm["zero"].kl == (0.0,) * 12
    assert by_arm["full"].mean_kl > 0.01


def test_every_architecture_of_the_table_is_tested():
    assert set(CONFIGS) == set(sites.LAYOUTS)
