"""Loggers of other libraries, which tell of every step they take, kept quiet for a while."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_loggers(*names: str, level: int) -> Iterator[None]:
    """Within, loggers pass on no records below a level; afterwards they have their levels of before.

    Args:
        names: of loggers; those below them follow, where they have no level of their own.
        level: such as `logging.ERROR`.
    """
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.setLevel(old)
