"""The table of kinds."""

from collections.abc import Mapping
from typing import Any

from steer.runs.evaluate.kind import Evaluate
from steer.runs.kind import Kind

KINDS: Mapping[str, Kind[Any]] = {kind.name: kind for kind in (Evaluate(),)}
