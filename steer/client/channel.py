"""How a client reaches its server: target, token, channel options."""

import json
import os
from dataclasses import dataclass

import grpc

from steer.errors import FailedPrecondition

MAX_MESSAGE_BYTES = 64 * 2**20
DEFAULT_TARGET = "127.0.0.1:50051"

# What breaks off before an answer begins is sent again, and may have been done: calls must bear it.
_RETRY = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A server that comes back is found soon; by default it can take two minutes.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config", json.dumps(_RETRY)),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is and what is shown to it. ``credentials`` None is plain text."""

    target: str
    token: str
    credentials: grpc.ChannelCredentials | None = None

    @classmethod
    def of(
        cls,
        target: str | None,
        token: str | None,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> "Endpoint":
        """What was given, else ``STEER_TARGET`` and ``STEER_TOKEN``, else the default target."""
        return cls(
            target=target or os.environ.get("STEER_TARGET") or DEFAULT_TARGET,
            token=token or os.environ.get("STEER_TOKEN", ""),
            credentials=credentials,
        )

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def channel(self) -> grpc.Channel:
        """A synchronous channel."""
        if self.credentials is None:
            return grpc.insecure_channel(self.target, OPTIONS)
        return grpc.secure_channel(self.target, self.credentials, OPTIONS)

    def async_channel(self) -> grpc.aio.Channel:
        """An asyncio channel."""
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, OPTIONS)
        return grpc.aio.secure_channel(self.target, self.credentials, OPTIONS)


def closed() -> FailedPrecondition:
    """What calls of a client that was closed end with."""
    return FailedPrecondition("this client was closed; make another", reason="CLIENT_CLOSED")
