"""SAELens as oracle: dictionaries that it has made and saved, in our engine.

Its own ``encode`` and ``decode`` say what latents are and what an edit of them gives.
"""

import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steer.formats import Source, read
from steer.intervene.plan import CapturePlan, Readout
from steer.store import Architecture, Dictionary, Store
from steer.types import CapturedFeatures, Phase, Point, Site, Where
from tests.engine import treatments
from tests.engine.cases import CROWD, of
from tests.engine.formulas import Coder
from tests.engine.hooked import Row, hooked
from tests.engine.plans import WIDTH, arm, baseline, plan, prompt
from tests.helpers import engine, finished, network, run, tokens

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sae_lens = pytest.importorskip("sae_lens", reason="it is in the extra `oracles`")
    from sae_lens.saes import transcoder
    from sae_lens.saes.sae import SAEMetadata

SITE, D_SAE, K = Site(1), 40, 6
IDS = prompt(3, 26)
TARGETS: treatments.Targets = [(3, "set", 5.0), (11, "scale", -0.5), (30, "add", 2.0)]
NORMALIZE = ("none", "layer_norm", "constant_norm_rescale")
EDGE = 1e-5


@dataclass(frozen=True)
class Kind:
    """How SAELens makes one. ``trained``: by its training class, saved for inference. ``settings``:
    of its configuration."""

    make: Callable[..., nn.Module]
    config: Callable[..., Any]
    trained: bool = False
    settings: tuple[tuple[str, Any], ...] = ()


def kind(name: str, trained: bool = False, **settings: Any) -> Kind:
    full = f"{name}{'Training' if trained else ''}SAE"
    made = getattr(sae_lens, full), getattr(sae_lens, f"{full}Config")
    return Kind(*made, trained, tuple(settings.items()))


KINDS = {
    "standard": kind("Standard"),
    "standard-trained": kind("Standard", trained=True),
    "gated": kind("Gated"),
    "gated-trained": kind("Gated", trained=True),
    "jumprelu": kind("JumpReLU"),
    "jumprelu-trained": kind("JumpReLU", trained=True),
    "topk": kind("TopK", k=K),
    "topk-rescaled": kind("TopK", k=K, rescale_acts_by_decoder_norm=True),
    "topk-trained": kind("TopK", trained=True, k=K, rescale_acts_by_decoder_norm=False),
    "topk-trained-rescaled": kind("TopK", trained=True, k=K, rescale_acts_by_decoder_norm=True),
    "batchtopk": kind("BatchTopK", trained=True, k=float(K), rescale_acts_by_decoder_norm=False),
    "batchtopk-rescaled": kind(
        "BatchTopK", trained=True, k=float(K), rescale_acts_by_decoder_norm=True
    ),
}
TRANSCODERS = ("Transcoder", "SkipTranscoder", "JumpReLUTranscoder", "JumpReLUSkipTranscoder")


@dataclass(frozen=True)
class Made:
    """A dictionary as SAELens loads it again, and as we read the same folder."""

    oracle: Any
    dictionary: Dictionary

    @property
    def name(self) -> str:
        """Of ours."""
        return self.dictionary.name


def randomise(sae: nn.Module, seed: int) -> None:
    """Weights of the size of those in ``items``; decoder rows of very different norms."""
    generator = torch.Generator().manual_seed(seed)
    scales = {"W_enc": 0.1, "W_dec": 0.2, "W_skip": 0.1, "b_dec": 0.3}
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            draw = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(scales.get(name, 0.2) * draw)
        sae.W_dec.mul_(torch.linspace(0.3, 3.0, D_SAE)[:, None])
        if "threshold" in dict(sae.named_parameters()):
            sae.threshold.abs_()
        if hasattr(sae, "topk_threshold"):
            sae.topk_threshold.fill_(0.6)


def made(folder: Path, store: Store, name: str, config: dict[str, Any], how: Kind) -> Made:
    """Make, save, and read it back on both sides."""
    metadata = SAEMetadata(hook_name="blocks.1.hook_resid_post", model_name="tiny")
    metadata.hook_name_out = "blocks.2.hook_mlp_out"
    common = {"d_in": WIDTH, "d_sae": D_SAE, "metadata": metadata}
    sae = how.make(how.config(**common, **config, **dict(how.settings)))
    randomise(sae, len(name))
    save = sae.save_inference_model if how.trained else sae.save_model
    save(folder / name)
    understood = read(Source.of_path(folder / name))
    version = understood.save(store, name)
    item = store.get(version.address)
    assert isinstance(item, Dictionary)
    return Made(sae_lens.SAE.load_from_disk(folder / name), item)


@pytest.fixture(scope="module")
def saes(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Every architecture, normalisation and bias."""
    folder = tmp_path_factory.mktemp("saes")
    store = Store(folder / "store")
    found = []
    for (name, how), normalize, subtract in product(KINDS.items(), NORMALIZE, (False, True)):
        config = {"normalize_activations": normalize, "apply_b_dec_to_input": subtract}
        full = f"{name}-{normalize}-{subtract}".lower()
        found.append(made(folder, store, full, config, how))
    return found


@pytest.fixture(scope="module")
def transcoders(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Those that read at one place and write at another."""
    folder = tmp_path_factory.mktemp("transcoders")
    store = Store(folder / "store")
    return [
        made(
            folder,
            store,
            name.lower(),
            {"d_out": WIDTH, "apply_b_dec_to_input": False},
            Kind(getattr(transcoder, name), getattr(transcoder, f"{name}Config")),
        )
        for name in TRANSCODERS
    ]


def encode(sae: Any, h: Tensor) -> Tensor:
    """Its code of activations (n, d_model); (n, d_sae)."""
    with torch.no_grad():
        code = sae.encode(h)
        sae.decode(code)  # SAELens forgets the norms of its input only when it has decoded
        return code


def edited(sae: Any, h: Tensor) -> Tensor:
    """Encode, edit, decode, and what the code had not explained of h."""
    with torch.no_grad():
        error = h - sae.decode(sae.encode(h))
        code = sae.encode(h)
        for latent, how, value in TARGETS:
            now = code[:, latent]
            ways = {"set": torch.full_like(now, value), "scale": now * value, "add": now + value}
            code[:, latent] = ways[how]
        return sae.decode(code) + error


# ---- reading ------------------------------------------------------------------------------------


def test_what_is_captured_is_its_code(saes, transcoders):
    """Of every position of a prompt and of what was generated, all latents."""
    every = [*saes, *transcoders]
    readouts = tuple(Readout(each.dictionary, 0, tuple(range(D_SAE))) for each in every)
    one = plan(baseline(IDS), measure=False, max_tokens=30)
    one = replace(one, capture=CapturePlan((), readouts, Where()))
    with engine(limits=CROWD) as running:
        events = run(running, [one])[one.request_id]
    row = Row(IDS, tokens(events, "baseline"), watch=[SITE])
    h = hooked(network(), [row])[0].seen[SITE]
    assert len(h) == len(IDS) + 29
    for each in every:
        parts = [e for e in events if isinstance(e, CapturedFeatures) and e.dictionary == each.name]
        assert [p for part in parts for p in part.positions] == list(range(len(h)))
        found = torch.tensor([latents.activations for part in parts for latents in part.latents])
        code = encode(each.oracle, h)
        clear = Coder(each.dictionary).edge(h.double(), range(D_SAE)) > EDGE
        assert clear.float().mean() > 0.95
        torch.testing.assert_close(found[clear], code[clear], rtol=1e-4, atol=1e-4)
        assert 0.02 < (code > 0).float().mean() < 0.98


def test_architectures_are_what_they_were(saes, transcoders):
    for each in saes:
        spec, name = each.dictionary.spec, each.name
        is_jump = "batchtopk" in name or "jumprelu" in name
        is_topk = "topk" in name and not is_jump
        assert (spec.architecture is Architecture.JUMPRELU) == is_jump
        assert (spec.architecture is Architecture.TOPK) == is_topk == (spec.k == K)
        assert each.dictionary.site == SITE and spec.apply_b_dec_to_input == name.endswith("true")
    for each in transcoders:
        assert each.dictionary.site_out == Site(2, Point.MLP_OUT)


# ---- editing ------------------------------------------------------------------------------------


@contextmanager
def edited_by(net: nn.Module, sae: Any, begin: int):
    """Its edit at every position from ``begin`` on, in what block 1 gives."""

    def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
        hidden = output[0] if isinstance(output, tuple) else output
        hidden = hidden.clone()
        hidden[0, begin:] = edited(sae, hidden[0, begin:])
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    handle = net.model.layers[SITE.layer].register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def expected(net: nn.Module, sae: Any, generated: Sequence[int], begin: int) -> Tensor:
    """Log-probabilities of generated tokens when SAELens edits."""
    with torch.no_grad(), edited_by(net, sae, begin):
        ids = torch.tensor([[*IDS, *generated[:-1]]])
        logits = net(ids, use_cache=False).logits[0, len(IDS) - 1 :]
    return torch.log_softmax(logits, -1)[range(len(generated)), generated]


@pytest.mark.parametrize("phase", [Phase.ALL, Phase.GENERATED])
def test_clamped_outputs_are_its_own(saes, phase):
    """At all positions, and at generated positions only."""
    begin, net = 0 if phase is Phase.ALL else len(IDS), network()
    items = [
        replace(treatments.feature(each.dictionary, TARGETS), where=Where(phase)) for each in saes
    ]
    arms = [arm(each.name, IDS, one.planned(IDS)) for each, one in zip(saes, items, strict=True)]
    one = plan(baseline(IDS), *arms, measure=False, logprobs=1, max_tokens=12)
    with engine(limits=CROWD) as running:
        events = run(running, [one])[one.request_id]
    rows = [Row(IDS, tokens(events, arm.name), [one]) for arm, one in zip(arms, items, strict=True)]
    compared = 0
    for each, row, nearness in zip(saes, rows, hooked(net, rows), strict=True):
        receipts = finished(events, each.name).receipts
        assert [receipt.tokens for receipt in receipts] == [len(IDS) + 11 - begin]
        if nearness.edge > EDGE:
            compared += 1
            given = torch.tensor([x for chunk in of(events, each.name) for x in chunk.logprobs])
            wanted = expected(net, each.oracle, row.generated, begin)
            torch.testing.assert_close(given, wanted, rtol=1e-6, atol=1e-5)
    assert compared > 0.95 * len(saes)
    assert len({tuple(row.generated) for row in rows}) > 3


def test_an_edit_of_nothing_is_nothing(saes):
    """What SAELens would put back as it was: the error term is part of the output."""
    arms = []
    for each in saes[::3]:
        item = treatments.feature(each.dictionary, [(3, "scale", 1.0), (5, "add", 0.0)])
        arms.append(arm(each.name, IDS, item.planned(IDS)))
    one = plan(baseline(IDS), *arms, measure=False, logprobs=1, max_tokens=6)
    with engine(limits=CROWD) as running:
        events = run(running, [one])[one.request_id]
    for each in saes[::3]:
        for mine, other in zip(of(events, each.name), of(events, "baseline"), strict=True):
            assert (mine.token_ids, mine.logprobs) == (other.token_ids, other.logprobs)
        h = torch.from_numpy(np.random.default_rng(1).standard_normal((9, WIDTH))).float() * 5
        with torch.no_grad():
            error = h - each.oracle.decode(each.oracle.encode(h))
        assert error.norm() > 1
