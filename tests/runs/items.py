"""Short ways to write runs."""

from typing import Any

from steer.specs import Run, RunState


def a_run(run_id: str, **more: Any) -> Run:
    """A run that was just created."""
    given: dict[str, Any] = {
        "name": "",
        "kind": "evaluate",
        "state": RunState.QUEUED,
        "spec_hash": "sha256:spec",
        "model": "tiny",
        "fingerprint": "f",
        "created": 1.0,
    }
    return Run(id=run_id, **given | more)
