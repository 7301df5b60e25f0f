"""Sites of every architecture of the table, and of models it does not know."""

import gc
import random
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
import transformers
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.models.granite.modeling_granite import GraniteDecoderLayer
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from steer.engine.embedded.engine import EmbeddedEngine
from steer.engine.embedded.forward import adopt
from steer.errors import FailedPrecondition
from steer.intervene import residuals, sites
from steer.intervene.hooks import attach
from steer.intervene.layouts import LAYOUTS, Layout, known
from steer.intervene.order import PASSED, order, precedes
from steer.models.fingerprint import fingerprint
from steer.models.load import LoadedModel
from steer.models.text import Text
from steer.types import Point, Site
from tests.engine.plans import arm, baseline, edit, plan, prompt, vector
from tests.helpers import CONFIGS, LIMITS, VOCAB, network, reference, run, tokenizer, tokens

LAYERS = 3
WIDTH = 32
IDS = torch.tensor([prompt(0, 9)])


def logits(net: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return net(IDS, use_cache=False).logits


def of_type(net: PreTrainedModel, name: str) -> PreTrainedModel:
    """The same model under a model type the table does not know."""
    net.config.__class__ = type("Renamed", (type(net.config),), {"model_type": name})
    return net


def all_sites(net: PreTrainedModel) -> list[Site]:
    return [Site(layer, point) for layer in range(LAYERS) for point in sites.points(net)]


def bare(layout: Layout) -> Layout:
    """As ``known`` gives layouts."""
    return replace(layout, blocks="")


# ---- the order of sites -----------------------------------------------------------------------


def test_every_point_has_a_turn():
    assert sorted(PASSED) == sorted(Point)


def test_sites_are_ordered_by_layer_and_then_by_point():
    expected = [Site(layer, point) for layer in range(4) for point in PASSED]
    shuffled = random.Random(0).sample(expected, len(expected))
    assert sorted(shuffled, key=order) == expected
    for (i, a), (j, b) in product(enumerate(expected), repeat=2):
        assert precedes(a, b) == (i < j)


@pytest.mark.parametrize("kind", CONFIGS)
def test_hooks_fire_in_that_order_each_once(kind):
    net, passed = network(kind), []
    with sites.visiting(net, {s: lambda _, s=s: passed.append(s) for s in all_sites(net)}):
        logits(net)
    assert passed == sorted(all_sites(net), key=order)


# ---- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kind", CONFIGS)
def test_of_all_layouts_only_the_row_of_the_table_has_no_flaw(kind, dtype):
    net = network(kind).to(dtype)
    right = sites.layout(net)
    assert residuals.flaw(net, sites.blocks(net), right) is None
    without_mid = replace(bare(right), mid=None, parallel=False)
    others = set(known()) - {bare(right), without_mid}
    assert others
    for other in others:
        assert residuals.flaw(net, sites.blocks(net), other) is not None, other


@pytest.mark.parametrize("kind", CONFIGS)
def test_resid_post_is_what_transformers_calls_hidden_states(kind):
    net, seen = network(kind), {}
    wanted = {Site(layer): layer + 1 for layer in range(LAYERS - 1)}  # the last has a final norm
    with sites.visiting(net, {s: lambda h, s=s: seen.update({s: h.clone()}) for s in wanted}):
        with torch.no_grad():
            hidden = net(IDS, use_cache=False, output_hidden_states=True).hidden_states
    for site, index in wanted.items():
        assert torch.equal(seen[site], hidden[index])


@pytest.mark.parametrize("kind", CONFIGS)
def test_adding_to_what_is_added_is_adding_to_the_sum(kind):
    """At attn_out as at resid_mid, at mlp_out as at resid_post: whatever norm or multiplier."""
    net, v = network(kind), torch.from_numpy(vector(1))

    def steered(point: Point, layer: int) -> torch.Tensor:
        with sites.visiting(net, {Site(layer, point): lambda h: h.add_(v)}):
            return logits(net)

    pairs = [(Point.MLP_OUT, Point.RESID_POST), (Point.ATTN_OUT, Point.RESID_MID)]
    if sites.layout(net).parallel:
        pairs.append((Point.RESID_MID, Point.RESID_POST))
    plain = logits(net)
    for (out, total), layer in product(pairs, range(LAYERS)):
        a, b = steered(out, layer), steered(total, layer)
        assert (a - plain).abs().max() > 0.01
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", CONFIGS)
def test_untouched_tokens_keep_every_bit(kind):
    net, plain = network(kind), logits(network(kind))
    v = torch.from_numpy(vector(1))

    def after(site: Site, change: float) -> torch.Tensor:
        seen = []
        with sites.visiting(net, {site: lambda h: h[:, 6:].add_(change * v)}):
            with sites.visiting(net, {site: lambda h: seen.append(h.clone())}):
                logits(net)
        return seen[0]

    for site in all_sites(net):
        left, changed = after(site, 0.0), after(site, 1.0)
        assert torch.equal(changed[:, :6], left[:, :6])
        torch.testing.assert_close(changed[:, 6:], left[:, 6:] + v, atol=1e-5, rtol=1e-5)
    with sites.visiting(net, {site: lambda h: h.add_(0.0) for site in all_sites(net)}):
        assert torch.equal(logits(net), plain)


@pytest.mark.parametrize("kind", CONFIGS)
def test_steering_is_not_lost_whether_an_output_is_a_tuple_or_a_tensor(kind):
    """Outputs are turned into the other form under the hook, and back for the model."""
    net, v = network(kind), torch.from_numpy(vector(1))
    points = [Point.ATTN_OUT, Point.MLP_OUT, Point.RESID_POST]
    for point, layer in product(points, range(LAYERS)):
        with sites.visiting(net, {Site(layer, point): lambda h: h.add_(v)}):
            wanted = logits(net)
        block, layout = sites.blocks(net)[layer], sites.layout(net)
        paths = {Point.ATTN_OUT: layout.attn_out, Point.MLP_OUT: layout.mlp_out}
        module = block.get_submodule(paths.get(point, ""))
        forms: list[type] = []

        def flip(_module: Any, _args: Any, output: Any, forms: list[type] = forms) -> Any:
            forms.append(type(output))
            return output[0] if isinstance(output, tuple) else (output, None)

        def flip_back(_module: Any, _args: Any, output: Any) -> Any:
            return output[0] if isinstance(output, tuple) else (output, None)

        handles = [module.register_forward_hook(flip)]
        handles.append(attach(block, layout, point, lambda h: h.add_(v)))
        handles.append(module.register_forward_hook(flip_back))
        assert torch.equal(logits(net), wanted), (point, layer, forms)
        for handle in handles:
            handle.remove()


def test_an_output_of_no_known_form_is_refused():
    class Listed(nn.Module):
        def forward(self, hidden_states: torch.Tensor) -> list[torch.Tensor]:
            return [hidden_states]

    block = Listed()
    attach(block, LAYOUTS["llama"], Point.RESID_POST, lambda _: None)
    with pytest.raises(FailedPrecondition, match="Listed passes on a list"):
        block(torch.zeros(1, 1, 4))


def test_gpt_neox_is_sequential_where_its_configuration_says_so():
    config = network("gpt_neox").config
    config.use_parallel_residual = False
    torch.manual_seed(0)
    net = AutoModelForCausalLM.from_config(config).train(False)
    assert sites.layout(net).mid == "post_attention_layernorm"
    assert residuals.flaw(net, sites.blocks(net), sites.layout(net)) is None
    assert sites.layout(network("gpt_neox")).mid is None


# ---- blocks in parallel -------------------------------------------------------------------------

PARALLEL = {"phi": "self_attn", "cohere2": "self_attn", "gpt_neox": "attention"}


def test_these_are_parallel():
    assert {kind for kind in CONFIGS if sites.layout(network(kind)).parallel} == set(PARALLEL)


@pytest.mark.parametrize("kind", PARALLEL)
def test_resid_mid_of_a_parallel_block_is_the_stream_with_what_attention_adds(kind):
    """Beside a plain hook that returns what attention would have to add."""
    net, v, seen = network(kind), torch.from_numpy(vector(1)), {}
    unit = v / v.norm()

    def ablate_and_square(h: torch.Tensor) -> torch.Tensor:
        return (h - (h @ unit)[..., None] * unit) * 1.5 + 0.01 * h.square()

    def entering(_module: Any, args: tuple[torch.Tensor]) -> None:
        seen["residual"] = args[0]

    def instead(_module: Any, _args: Any, output: Any) -> Any:
        added, *rest = output if isinstance(output, tuple) else (output,)
        new = ablate_and_square(seen["residual"] + added) - seen["residual"]
        return (new, *rest) if isinstance(output, tuple) else new

    for layer in range(LAYERS):
        block = sites.blocks(net)[layer]
        handles = [
            block.register_forward_pre_hook(entering),
            block.get_submodule(PARALLEL[kind]).register_forward_hook(instead),
        ]
        wanted = logits(net)
        for handle in handles:
            handle.remove()
        at = {Site(layer, Point.RESID_MID): lambda h: h.copy_(ablate_and_square(h))}
        with sites.visiting(net, at):
            got = logits(net)
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)
        assert (got - logits(net)).abs().max() > 0.01


@pytest.mark.parametrize("kind", PARALLEL)
@pytest.mark.parametrize("turn", [1, -1], ids=["as they pass", "reversed"])
def test_there_what_was_written_before_it_is_seen_whoever_came_first(kind, turn):
    net, seen = network(kind), {}
    written = {p: torch.from_numpy(vector(n)) for n, p in enumerate(PASSED[:2])}

    def at(point: Point, h: torch.Tensor) -> None:
        if point in written:
            h.copy_(written[point].expand_as(h))
        seen[point] = h.clone()

    visits = {Site(1, point): partial(at, point) for point in PASSED[::turn]}
    with sites.visiting(net, visits):
        logits(net)
    total = sum(written.values()).expand_as(seen[Point.RESID_MID])
    torch.testing.assert_close(seen[Point.RESID_MID], total)
    torch.testing.assert_close(seen[Point.RESID_POST], total + seen[Point.MLP_OUT])


# ---- residual multipliers ---------------------------------------------------------------------


def test_with_a_multiplier_a_visitor_gets_what_is_added():
    net, seen = network("granite"), {}
    factor = net.config.residual_multiplier
    assert factor != 1
    site = Site(1, Point.MLP_OUT)
    raw = net.model.layers[1].mlp.register_forward_hook(
        lambda _m, _a, out: seen.update(raw=out.clone())
    )
    with sites.visiting(net, {site: lambda h: seen.update(visited=h.clone())}):
        logits(net)
    raw.remove()
    assert torch.equal(seen["visited"], seen["raw"] * factor)


def test_with_a_multiplier_what_a_visitor_writes_is_added():
    net, wanted, seen = network("granite"), torch.from_numpy(vector(3)), {}
    visits = {
        Site(1, Point.RESID_PRE): lambda h: seen.update(pre=h.clone()),
        Site(1, Point.ATTN_OUT): lambda h: h.copy_(wanted.expand_as(h)),
        Site(1, Point.RESID_MID): lambda h: seen.update(mid=h.clone()),
    }
    with sites.visiting(net, visits):
        logits(net)
    torch.testing.assert_close(seen["mid"], seen["pre"] + wanted, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "point", "total"),
    [
        ("granite", Point.ATTN_OUT, Point.RESID_MID),  # through a multiplier
        ("phi", Point.RESID_MID, Point.RESID_POST),  # beside the MLP
    ],
)
def test_a_vector_that_is_still_zero_gets_the_gradient_of_the_sum(kind, point, total):
    net = network(kind)

    def gradient(point: Point) -> torch.Tensor:
        v = torch.zeros(WIDTH, requires_grad=True)
        with sites.visiting(net, {Site(1, point): lambda h: h.add_(v)}):
            net(IDS, use_cache=False).logits.square().sum().backward()
        assert v.grad is not None and v.grad.abs().min() > 0
        return v.grad

    torch.testing.assert_close(gradient(point), gradient(total), rtol=1e-3, atol=1e-3)


# ---- models the table does not know ------------------------------------------------------------


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_unknown_name_of_a_known_structure_is_found_by_trial(kind):
    wanted = sites.layout(network(kind))
    assert sites.layout(of_type(network(kind), "renamed")) == wanted


@pytest.mark.parametrize("kind", ["llama", "granite", "gemma2", "olmo2", "gpt2", "phi"])
def test_an_unknown_model_is_steered_right_by_the_engine(kind):
    net, ids = of_type(network(kind), "renamed"), prompt(1, 7)
    steered = [arm(f"{point}", ids, edit("add", {Site(1, point): vector(2)})) for point in Point]
    there = [one for one in steered if Point(one.name) in sites.points(net)]
    mark = fingerprint(net)
    running = EmbeddedEngine(LoadedModel("t", "", mark, net, Text(tokenizer(), VOCAB)), LIMITS)
    try:
        one = plan(baseline(ids), *there)
        events = run(running, [one])[one.request_id]
    finally:
        running.close()
    plain = network(kind)
    assert tokens(events, "baseline") == reference(plain, ids, 12)[0]
    for one in there:
        at = {Site(1, Point(one.name)): lambda h: h + torch.from_numpy(vector(2))}
        assert tokens(events, one.name) == reference(plain, ids, 12, at)[0]


def test_a_trial_needs_no_attention_of_transformers_to_be_in_place():
    net, plain = of_type(network(), "renamed"), logits(network())
    adopt(net)
    assert sites.layout(net) == LAYOUTS["llama"]
    assert net.config._attn_implementation == "steer"
    net.set_attn_implementation("sdpa")
    assert torch.equal(logits(net), plain)  # and nothing is left behind


def test_a_trial_is_held_once_for_each_model_and_forgotten_with_it():
    net, passes = of_type(network(), "renamed"), []
    net.register_forward_hook(lambda *_: passes.append(1))
    assert sites.layout(net) is sites.layout(net)
    assert len(passes) == 1
    before = len(sites._FOUND)
    del net
    gc.collect()
    assert len(sites._FOUND) < before


TUPLES = {
    "gptj": (
        "GPTJConfig",
        {"rotary_dim": 4},
        Layout("transformer.h", "attn", None, "mlp", parallel=True),
    ),
    "gpt_neo": (
        "GPTNeoConfig",
        {
            "hidden_size": WIDTH,
            "num_layers": LAYERS,
            "num_heads": 4,
            "attention_types": [[["global"], LAYERS]],
        },
        Layout("transformer.h", "attn", "ln_2", "mlp"),
    ),
}


@pytest.mark.parametrize("kind", TUPLES)
def test_blocks_of_transformers_that_return_tuples(kind):
    name, extra, wanted = TUPLES[kind]
    sizes = {} if kind == "gpt_neo" else {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4}
    config = getattr(transformers, name)(
        vocab_size=VOCAB, bos_token_id=1, eos_token_id=2, initializer_range=0.3, **sizes, **extra
    )
    net = AutoModelForCausalLM.from_config(config).train(False)
    forms: list[type] = []
    net.get_submodule("transformer.h.0").register_forward_hook(
        lambda _m, _a, out: forms.append(type(out))
    )
    assert sites.layout(net) == wanted
    assert set(forms) == {tuple}
    plain = logits(net)
    for site in all_sites(net):
        with sites.visiting(net, {site: lambda h: h.add_(1.0)}):
            assert not torch.allclose(logits(net), plain)


class Ignored(LlamaDecoderLayer):
    """Its attention counts for nothing, or very little."""

    share = 0.0

    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        added = self.self_attn(self.input_layernorm(hidden_states), **kwargs)[0]
        middle = hidden_states + self.share * added
        return middle + self.mlp(self.post_attention_layernorm(middle))


class Nearly(Ignored):
    share = 0.99


class Copied(Ignored):
    """Its norm reads a copy: what is written there is not in the residual stream."""

    share = 1.0

    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        middle = hidden_states + self.self_attn(self.input_layernorm(hidden_states), **kwargs)[0]
        return middle + self.mlp(self.post_attention_layernorm(middle.clone()))


class Multiplied(LlamaDecoderLayer):
    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return 1.01 * super().forward(*args, **kwargs)


class Shifted(LlamaDecoderLayer):
    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return 0.01 + super().forward(*args, **kwargs)


class Reversed(LlamaDecoderLayer):
    """Parallel, with the MLP first: a gate at attn_out would be read too late."""

    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        normed = self.input_layernorm(hidden_states)
        return hidden_states + self.mlp(normed) + self.self_attn(normed, **kwargs)[0]


class Broken(LlamaDecoderLayer):
    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        raise RuntimeError("no such kernel")


def built_of(block: type[LlamaDecoderLayer], layer: int) -> PreTrainedModel:
    net = of_type(network(), "odd")
    net.model.layers[layer].__class__ = block
    return net


@pytest.mark.parametrize(
    ("block", "layer", "why"),
    [
        (Ignored, 0, "resid_mid.0 is not resid_pre.0 + attn_out.0"),
        (Nearly, 1, "resid_mid.1 is not resid_pre.1 + attn_out.1"),
        (Multiplied, 2, "resid_post.2 is not resid_mid.2 + mlp_out.2"),
        (Shifted, 1, "resid_post.1 is not resid_mid.1 + mlp_out.1"),
        (Reversed, 0, "a pass comes by resid_pre.0, mlp_out.0, attn_out.0"),
        (Broken, 1, "a pass with it fails: RuntimeError: no such kernel"),
    ],
)
def test_a_block_that_is_no_such_sum_is_refused_with_what_was_tried(block, layer, why):
    net = built_of(block, layer)
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as refused:
            sites.layout(net)
        assert refused.value.reason == "UNSUPPORTED_ARCHITECTURE"
        message = refused.value.message
        assert "architecture 'odd' is not supported" in message
        assert ", ".join(sorted(LAYOUTS)) in message
        tried = message.partition("tried: ")[2]
        assert "model.layers: self_attn and mlp, resid_mid into post_attention_layernorm:" in tried
        assert why in tried
        assert "model.layers: self_attn and mlp, in parallel: " in tried
        assert "model.layers: self_attn and mlp: " in tried  # the same, without resid_mid
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_something_added_between_blocks_is_refused():
    net = of_type(network(), "odd")
    net.model.layers[1].register_forward_pre_hook(lambda _m, args: (args[0] * 1.5, *args[1:]))
    with pytest.raises(FailedPrecondition, match=r"resid_pre\.1 is not resid_post\.0"):
        sites.layout(net)


class Beside(GraniteDecoderLayer):
    """In parallel, with a multiplier."""

    def forward(self, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        added = self.self_attn(self.input_layernorm(hidden_states), **kwargs)[0]
        more = self.mlp(self.post_attention_layernorm(hidden_states))
        return hidden_states + self.residual_multiplier * (added + more)


def test_an_unknown_parallel_block_with_a_multiplier_is_found():
    net, v = of_type(network("granite"), "odd"), torch.from_numpy(vector(1))
    for block in net.model.layers:
        block.__class__ = Beside
    assert sites.layout(net) == replace(LAYOUTS["granite"], mid=None, parallel=True)
    with sites.visiting(net, {Site(1, Point.RESID_MID): lambda h: h.add_(v)}):
        got = logits(net)
    with sites.visiting(net, {Site(1): lambda h: h.add_(v)}):
        torch.testing.assert_close(got, logits(net), atol=1e-4, rtol=1e-4)


def test_a_resid_mid_that_can_not_be_written_is_not_offered():
    net = of_type(network(), "odd")
    for block in net.model.layers:
        block.__class__ = Copied
    assert Point.RESID_MID not in sites.points(net)
    assert set(sites.points(net)) == set(Point) - {Point.RESID_MID}
    with pytest.raises(FailedPrecondition, match="no resid_mid"):
        sites.on_visit(net, Site(0, Point.RESID_MID), lambda _: None)


def test_a_model_without_such_submodules_is_refused():
    config = transformers.OPTConfig(
        vocab_size=VOCAB,
        hidden_size=WIDTH,
        ffn_dim=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        word_embed_proj_dim=WIDTH,
    )
    net = AutoModelForCausalLM.from_config(config).train(False)
    with pytest.raises(FailedPrecondition, match=r"'opt' is not supported.*tried: no list of"):
        sites.layout(net)


def test_the_right_one_of_several_lists_of_blocks_is_found():
    """As in a model with a tower for images that has as many blocks."""
    net = of_type(network(), "renamed")
    decoder = net.model
    net.model = None
    net.decoys, net.model = network(seed=1).model.layers, decoder
    assert sites.layout(net).blocks == "model.layers"
