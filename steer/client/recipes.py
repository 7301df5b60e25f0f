"""Recipes: interventions as they are written down, short and composable.

    steer.add("a1-rloo", strength=0.5, layer=2, when="decode")
    steer.add("x") + steer.ablate("y")
    steer.random_like(steer.add("x", strength=0.5), seed=1)

Every recipe is checked when it is made: a bad argument raises ``steer.InvalidRequest`` at once.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from typing_extensions import Unpack

from steer import wire
from steer.client.operands import VectorLike, as_operand
from steer.client.prompts import PromptLike, as_prompt
from steer.errors import InvalidRequest
from steer.types import (
    Add,
    Arm,
    Gate,
    Intervention,
    Op,
    Operand,
    OrthogonalTo,
    Phase,
    Point,
    Project,
    RandomLike,
    Rotate,
    Site,
    Strength,
    Unit,
    Where,
)
