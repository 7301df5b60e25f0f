"""Raw requests, so that the SDK's own checks are out of the way."""

import struct
from typing import Any

import grpc
import pytest

import steer
import steer.v1 as pb
from steer.client.status import to_error
from tests.server.conftest import Served

PROMPT = pb.Prompt(text="quiz 3 : d a h c c f =")


def refusal(call: Any, request: Any) -> steer.SteerError:
    with pytest.raises(grpc.RpcError) as caught:
        answer = call(request, timeout=20)
        list(answer if hasattr(answer, "__iter__") else [answer])
    return to_error(caught.value)


def healthy(served: Served) -> bool:
    result = served.client.compare(PROMPT.text, steer.add("a1-rloo"), max_tokens=2)
    return len(result.steered.token_ids) == 2


def inline(*numbers: float, layer: int | None = 2) -> pb.Intervention:
    tensor = pb.Tensor(shape=[len(numbers)], data=struct.pack(f"<{len(numbers)}f", *numbers))
    vector = pb.InlineVector(directions=[pb.Direction(tensor=tensor)])
    sites = [] if layer is None else [pb.Site(layer=layer)]
    return pb.Intervention(add=pb.Add(operand=pb.Operand(inline=vector)), sites=sites)


def add(vector: str = "a1-rloo", **fields: Any) -> pb.Intervention:
    return pb.Intervention(add=pb.Add(operand=pb.Operand(vector=vector)), **fields)


def arm(*interventions: pb.Intervention, **fields: Any) -> dict[str, Any]:
    return {"arms": [pb.Arm(name="a", interventions=interventions, **fields)]}


def sampling(**fields: Any) -> dict[str, Any]:
    return {"sampling": pb.Sampling(**{"max_tokens": 2} | fields)}
