"""Gates: read at every token, or once from the prompt; against readings taken by plain hooks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from steer.store import Architecture, Normalize
from steer.types import (
    Add,
    Arm,
    Direction,
    Gate,
    GateScope,
    Inline,
    Intervention,
    Phase,
    Point,
    Site,
    Stored,
    Strength,
    Where,
)
from tests.engine import formulas, items, treatments
from tests.engine.cases import CROWD, Case, check_batch, of
from tests.engine.formulas import Coder, double
from tests.engine.hooked import Row, hooked
from tests.engine.plans import prompt, vector
from tests.engine.treatments import Gating
from tests.helpers import TEXT, engine, finished, network, reference, tokens
from tests.planning import Bench, bench

SITE = Site(1)
BEHIND = (SITE, Site(2, Point.MLP_OUT))
EARLIER = (Site(0, Point.RESID_PRE), Site(0), Site(1, Point.ATTN_OUT), SITE)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("store"), limits=CROWD) as made:
        yield made


# ---- at every token -----------------------------------------------------------------------------


def every_reading(site: Site) -> list[Gating]:
    """Each kind of reading on both sides of a threshold that it crosses."""
    gates = []
    for below, absolute in product((False, True), repeat=2):
        both = {"below": below, "absolute": absolute}
        gates.append(treatments.cosine(site, 3, 0.15 if absolute else 0.0, **both))
        gates.append(treatments.probe(site, 3, 0.5, **both))
    for architecture, normalize in product(Architecture, Normalize):
        dictionary = items.dictionary(architecture, site, 2, normalize, subtract=True)
        gates += [treatments.latent(dictionary, index, 0.05, below=index == 5) for index in (4, 5)]
    return gates


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "granite"])
def test_a_gate_at_every_token_equals_a_decision_for_each_row(kind):
    """At earlier sites and at its own, where other interventions act before."""
    cases = []
    for site in EARLIER:
        for number, gate in enumerate(every_reading(site)):
            first = replace(treatments.rotate(site, number), where=Where(Phase.ALL))
            gated = replace(treatments.add(SITE, number), gate=gate, keep_norm=number % 3 == 0)
            cases.append(Case(prompt(number, 4 + number % 9), [first, gated]))
    with engine(kind, CROWD) as engine_:
        check_batch(engine_, kind, cases, max_tokens=6, alone=4)


def test_every_reading_opens_at_some_tokens_and_not_at_others():
    """So that the test above is one."""
    rows = [Row(prompt(n, 20), [0], watch=[SITE]) for n in range(20)]
    h = torch.cat([one.seen[SITE] for one in hooked(network(), rows)]).double()
    for gate in every_reading(SITE):
        assert gate.opens(gate.reading(h)).unique().tolist() == [False, True]


# ---- once, from the prompt ----------------------------------------------------------------------

PROMPTS = [(1, *prompt(n, 3 + n)) if n % 2 else prompt(n, 3 + n) for n in range(12)]
SCOPES = (GateScope.PROMPT, GateScope.LAST)


def readings(ids: Sequence[int], site: Site, read, scope: GateScope, sparse: bool) -> float:
    """What a gate reads of an unsteered prompt, from the contract's words."""
    (found,) = hooked(network(), [Row(ids, [0], watch=[site])])
    h = found.seen[site].double()
    if scope is GateScope.LAST:
        return read(h[-1:]).item()
    told = [i for i, token in enumerate(ids) if i > 0 and token not in TEXT.special]
    return read(h[told]).max().item() if sparse else read(h[told].mean(0)[None]).item()


def stored_gates(running: Bench) -> dict[str, tuple[Gate, object]]:
    """A gate of each kind over the store's things, and how it reads."""
    store = running.planner.store
    probe = store.get("probe").sites[SITE]
    gates = {
        "cosine": (
            Gate(SITE, 0.0, cosine=Stored("c")),
            formulas.cosine(double(store.get("c").tensors[SITE])),
        ),
        "probe": (
            Gate(SITE, 0.5, probe="probe"),
            formulas.probe(double(probe.weight), float(probe.bias[0])),
        ),
    }
    for architecture in Architecture:
        coder = Coder(store.get(architecture.value))
        gates[architecture.value] = (
            Gate(SITE, 0.5, dictionary=architecture.value, feature=6),
            lambda h, coder=coder: coder.encode(h)[:, 6],
        )
    return gates


@pytest.mark.parametrize("scope", SCOPES)
def test_a_gate_of_the_prompt_is_decided_for_each_prompt(running, scope):
    """Arms of one trial behind every kind of gate: open ones do what ungated ones do, closed ones
    nothing."""
    opened = []
    for ids in PROMPTS:
        item = Intervention(Add(Stored("v")), BEHIND, where=Where(Phase.DECODE))
        arms, wanted = [Arm("ungated", (item,))], {}
        for name, (gate, read) in stored_gates(running).items():
            reading = readings(ids, SITE, read, scope, sparse=gate.feature is not None)
            for below in (False, True):
                given = replace(gate, scope=scope, below=below)
                arms.append(Arm(f"{name} {below}", (replace(item, gate=given),)))
                opens = reading < gate.threshold if below else reading > gate.threshold
                wanted[arms[-1].name] = (reading, opens)
        plan = running.plan(ids, *arms)
        events = running.events(plan)
        for name, (reading, opens) in wanted.items():
            (decided,) = next(arm for arm in plan.arms if arm.name == name).interventions
            assert decided.gate.decision.reading == pytest.approx(reading, abs=1e-4)
            assert decided.gate.decision.open == opens
            like = "ungated" if opens else "baseline"
            assert [c.logprobs for c in of(events, name)] == [c.logprobs for c in of(events, like)]
            receipts = finished(events, name).receipts
            assert {(r.gate.readings, r.gate.opened) for r in receipts} == {(1, int(opens))}
            assert all(bool(r.tokens) == opens for r in receipts)
            opened.append(opens)
    assert 0.2 < np.mean(opened) < 0.8


def test_started_says_what_was_decided(running):
    ids = prompt(2, 9)
    gate = Gate(SITE, 5.0, cosine=Stored("c"), absolute=True)
    plan = running.plan(ids, Arm("s", (Intervention(Add(Stored("v")), BEHIND, gate=gate),)))
    (resolved,) = plan.started(running.planner.model).arms[1].interventions
    assert resolved.gate is not None and not resolved.gate.open
    assert 0 <= abs(resolved.gate.reading) <= 1


# ---- conditional activation steering (arXiv 2409.05907) -----------------------------------------


def similarity(ids: Sequence[int], c: Tensor, layer: int, last: bool) -> float:
    """cos(h, proj_c h) of the prompt's mean hidden state, its first token left out, or its last."""
    out = network()(torch.tensor([ids]), output_hidden_states=True)
    states = out.hidden_states[layer + 1][0].double()
    h = states[-1] if last else states[1:].mean(0)
    projected = (torch.outer(c, c) / (c @ c)) @ h
    return float(torch.cosine_similarity(h, projected, dim=0))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("below", [False, True])
def test_conditional_activation_steering_is_that_of_the_paper(running, last, below):
    """h' = h + f(sim(h, proj_c h))·α·v at every behaviour layer, f checked once for each prompt;
    one batch of prompts of which some are steered and some are not."""
    condition, behaviours, alpha = 0, (1, 2), 0.6
    c, v = vector(50), vector(51)
    prompts = [prompt(number, 4 + number) for number in range(16)]
    similar = [similarity(ids, double(c), condition, last) for ids in prompts]
    threshold = float(np.median(similar))
    gate = Gate(
        Site(condition),
        threshold,
        cosine=Inline((Direction(c.tobytes()),)),
        absolute=True,
        below=below,
        scope=GateScope.LAST if last else GateScope.PROMPT,
    )
    item = Intervention(
        Add(Inline((Direction(v.tobytes()),))),
        sites=tuple(Site(layer) for layer in behaviours),
        strength=Strength(alpha),
        gate=gate,
    )
    plans = [running.plan(ids, Arm("cast", (item,))) for ids in prompts]
    answers = running.together(plans)
    decisions = []
    for ids, one, near in zip(prompts, plans, similar, strict=True):
        steers = near < threshold if below else near > threshold
        edits = {Site(layer): lambda h: h + alpha * torch.from_numpy(v) for layer in behaviours}
        wanted, logits = reference(network(), ids, 8, edits if steers else {})
        events = answers[one.request_id]
        assert tokens(events, "cast") == wanted
        given = [x for chunk in of(events, "cast") for x in chunk.logprobs]
        own = torch.log_softmax(logits, -1)[range(8), wanted]
        assert given == pytest.approx(own.tolist(), abs=2e-5)
        decisions.append(steers)
    assert 0.3 < np.mean(decisions) < 0.7
