"""What a server's log says, and what not."""

import logging

from steer.server import logs


def test_a_client_that_left_is_no_error(caplog):
    logger = logging.getLogger("grpc._cython.cygrpc")
    logs.set_up()
    try:
        logger.error("ExecuteBatchError raised in core by servicer method [%s]", "/x/Generate")
        logger.error("Unexpected [%s] raised by servicer method [%s]", "ValueError", "/x/Generate")
    finally:
        logger.removeFilter(logs._is_news)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Unexpected [ValueError]" in caplog.text
