"""Pytest's own watchdog (faulthandler_timeout) ends a test that hangs; here it watches failing tests to their end too.

Pytest switches it off when a test fails, for the sake of a debugger. The fixtures are torn down after that, and may
wait for what the failed test left behind.
"""

import faulthandler
import os

import pytest

STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real standard error output, which a test's capture replaces."""
    config.stash[STDERR] = os.dup(2)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Count anew from the start of the teardown; pytest itself ends the counting after it."""
    seconds = float(item.config.getini("faulthandler_timeout"))
    if seconds > 0 and item.config.getini("faulthandler_exit_on_timeout"):
        faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[STDERR])
