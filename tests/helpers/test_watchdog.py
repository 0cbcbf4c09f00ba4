"""A test that hangs is ended and named by the settings of pyproject.toml, whatever it has done to signals."""

import pytest
from pytest_run import run_pytest

DEAF_TO_ALARMS = """
import signal, time
def test_hangs():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    time.sleep(100)
"""
HOLDS_THE_LOCK = """
import ctypes
def test_hangs():
    ctypes.PyDLL(None).sleep(100)  # a native call during which no Python thread runs
"""
HANGS_AFTER_A_FAILURE = """
import pytest, time
@pytest.fixture
def hangs():
    yield
    time.sleep(100)
def test_it(hangs):
    assert False
"""


@pytest.mark.parametrize("code", [DEAF_TO_ALARMS, HOLDS_THE_LOCK, HANGS_AFTER_A_FAILURE])
def test_a_hanging_test_is_ended_and_its_line_is_shown(tmp_path, code):
    done = run_pytest(tmp_path, code)
    assert done.returncode == 1
    assert "Timeout (0:00:00.500000)!" in done.stderr
    function = "hangs" if code == HANGS_AFTER_A_FAILURE else "test_hangs"
    assert any(line.endswith(f" in {function}") and "test_it.py" in line for line in done.stderr.splitlines())


def test_with_two_processes_the_hanging_test_is_named_and_the_others_run(tmp_path):
    (tmp_path / "test_other.py").write_text("def test_runs():\n    pass\n")
    code = f"{DEAF_TO_ALARMS}\ndef test_behind_it():\n    pass\n"
    done = run_pytest(tmp_path, code, "-p", "xdist", "-n", "2", "--dist", "worksteal")
    assert done.returncode == 1
    assert "crashed while running 'test_it.py::test_hangs'" in done.stdout
    assert "1 failed, 2 passed" in done.stdout
    assert " in test_hangs" in done.stderr
