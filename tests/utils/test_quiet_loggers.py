import logging

import pytest

from stvit_video.utils.quiet_loggers import quiet_loggers


@pytest.fixture
def logger():
    logger = logging.getLogger("a_library")
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(logging.NOTSET)


def test_records_below_the_level_are_dropped(logger, caplog):
    below = logging.getLogger("a_library.part")
    with quiet_loggers("a_library", "another_library", level=logging.ERROR):
        below.warning("a step")
        below.error("a failure")
    assert (logger.level, logging.getLogger("another_library").level) == (logging.INFO, logging.NOTSET)
    below.info("another step")
    assert [record.message for record in caplog.records] == ["a failure", "another step"]


def test_levels_are_those_of_before_after_an_error(logger):
    with pytest.raises(KeyError, match="gone"), quiet_loggers("a_library", level=logging.ERROR):
        raise KeyError("gone")
    assert logger.level == logging.INFO
