"""The table of kinds."""

from collections.abc import Mapping
from typing import Any

from steer.runs.evaluate.kind import Evaluate
from steer.runs.extract.kind import Extract
from steer.runs.kind import Kind
from steer.runs.sweep.kind import Sweep
from steer.runs.train.kind import Train

KINDS: Mapping[str, Kind[Any]] = {
    kind.name: kind for kind in (Evaluate(), Extract(), Train(), Sweep())
}
