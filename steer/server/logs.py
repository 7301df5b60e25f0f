"""What a server's log says."""

import logging


def set_up() -> None:
    """Lines of level INFO and above on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("grpc._cython.cygrpc").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    # A client that leaves while a message to it waits, as one that stopped reading does: grpc
    # writes a stack trace for each, and frees the call as it does for any other.
    return not record.getMessage().startswith("ExecuteBatchError raised in core")
