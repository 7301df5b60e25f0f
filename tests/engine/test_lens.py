"""The logit lens, against the final norm and the unembedding called by name."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from steer.types import Site
from tests.engine import plans
from tests.helpers import CONFIGS, engine, network, run, tokens

NORMS = ("model.norm", "model.final_layernorm", "transformer.ln_f", "gpt_neox.final_layer_norm")
DIRECTIONS = [plans.vector(seed, norm) for seed, norm in enumerate(np.geomspace(0.01, 100, 40))]


def final_norm(net):
    for path in NORMS:
        try:
            return net.get_submodule(path)
        except AttributeError:
            continue
    raise AssertionError(f"no final norm in {net}")


@pytest.mark.parametrize("kind", CONFIGS)
def test_it_is_what_the_model_would_read(kind):
    net = network(kind)
    norm, head = final_norm(net), net.get_output_embeddings()
    with engine(kind) as running, torch.no_grad():
        found = running.lens(DIRECTIONS, 5)
        assert len(found) == len(DIRECTIONS)
        for direction, seen in zip(DIRECTIONS, found, strict=True):
            rows = torch.stack([torch.tensor(direction), torch.zeros(len(direction))])
            said, nothing = head(norm(rows))
            order = (said - nothing).argsort(descending=True).tolist()
            assert [token.token_id for token in seen.top] == order[:5]
            assert [token.token_id for token in seen.bottom] == order[::-1][:5]
            assert seen.top[0].logit > seen.top[-1].logit > 0 > seen.bottom[-1].logit
            assert not any(token.piece for token in (*seen.top, *seen.bottom))


def test_running_rows_are_left_as_they_are():
    add = plans.edit("add", {Site(2): plans.vector(1)})
    arms = (plans.arm("a", plans.prompt(0, 6)), plans.arm("b", plans.prompt(0, 6), add))
    with engine() as running:
        alone, disturbed = (plans.plan(*arms, max_tokens=60) for _ in range(2))
        wanted = run(running, [alone])[alone.request_id]
        with ThreadPoolExecutor() as pool:
            going = pool.submit(run, running, [disturbed])
            looks = 0
            while not going.done():
                running.lens(DIRECTIONS[:1], 1)
                looks += 1
        found = going.result()[disturbed.request_id]
    assert looks > 5
    for name in ("a", "b"):
        assert tokens(found, name) == tokens(wanted, name)


def test_as_many_tokens_as_there_are():
    with engine() as running:
        (one,) = running.lens(DIRECTIONS[:1], 10_000)
        vocabulary = running.info().vocab_size
    assert len(one.top) == len(one.bottom) == vocabulary
    assert {token.token_id for token in one.top} == set(range(vocabulary))
