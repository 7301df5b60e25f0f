"""The network lent out: work of somebody else's on the engine thread, with gradients."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import torch
from transformers import PreTrainedModel

from steer.errors import SteerError

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Loan(Generic[T]):
    """Work that waits for the network, and its outcome. Cancelling ``future`` takes it back."""

    work: Callable[[PreTrainedModel], T]
    future: "Future[T]" = field(default_factory=Future)

    def run(self, network: PreTrainedModel) -> None:
        """Do it now; what it raises is for the borrower."""
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self.work(network))
            except BaseException as error:
                self.future.set_exception(error)

    def refuse(self, error: SteerError) -> None:
        """It will not be done."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


Loans = deque[Loan[Any]]


@contextmanager
def lent(network: PreTrainedModel, attention: str) -> Iterator[None]:
    """Inside, the network is one of transformers' own, called with padded batches: its attention is
    ``attention`` again, and gradients flow."""
    ours = network.config._attn_implementation
    network.set_attn_implementation(attention)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        network.set_attn_implementation(ours)
