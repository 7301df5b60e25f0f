"""An extraction from a task: its cue makes the positive class."""

import numpy as np

from steer.intervene.plan import PlannedArm
from steer.runs.background import Background
from steer.specs import ExtractSpec
from steer.store import Store, Vector
from steer.tasks.catalog import load_task
from steer.types import Site
from tests.runs.evaluate.conftest import context_of
from tests.runs.extract.conftest import extracted


def test_the_cue_of_a_task_is_the_direction(tmp_path):
    context = context_of(Store(tmp_path))
    try:
        report = extracted(ExtractSpec("cue", task="a1", n=60), context).report
        made = context.store.get("cue")
        assert isinstance(made, Vector)
        card = made.card
        assert card.parameters["used_splits"] == {"a1": ["train"]}
        assert card.parameters["paired"] is True
        last = report["table"][-1]
        assert last["site"] == "resid_post.2"
        assert last["split_half_cosine"] > 0.95 and last["anti_steerable"] == 0
        tried = report["steers"]
        assert tried["n"] == 16 and tried["anti_steerable"] == 0 and min(tried["slopes"]) > 1
        assert card.measured["steers"] == tried
        assert report["texts"] == 120 and not report["warnings"]
        np.testing.assert_allclose(made.tensors[Site(2)], _by_hand(context), atol=1e-4)
    finally:
        context.engine.close()


def _by_hand(context: Background) -> np.ndarray:
    """The difference of means at the last block, one reading at a time."""
    task, text, at = load_task("a1"), context.planner.text, Site(2)
    found = []
    for item in task.items("train", 60):
        prompts = (task.cued(item), item.prompt)
        arms = [PlannedArm("", text.encode(one, "prompt"), (), (), {}) for one in prompts if one]
        up, down = (context.engine.activations(arm, (at,))[at][-1] for arm in arms)
        found.append(up - down)
    return np.mean(found, axis=0)
