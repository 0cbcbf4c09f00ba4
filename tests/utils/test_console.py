"""Printing to consoles that know few signs, and to readers that leave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
WORK = "import logging, sys\nfrom stvit_video.utils.exit_status import exit_status\n"


def ended(code, *, head="", **environment):
    """What a program prints, to a reader that leaves at once where `head` names the streams that it reads."""
    command = [sys.executable, "-c", WORK + code + "\nsys.exit(exit_status(work))"]
    environment = {**ENVIRONMENT, **environment}
    if not head:
        return subprocess.run(command, capture_output=True, env=environment, check=False)
    reading, writing = os.pipe()
    os.close(reading)
    streams = {name: writing if name in head else subprocess.PIPE for name in ("stdout", "stderr")}
    done = subprocess.run(command, env=environment, check=False, **streams)
    os.close(writing)
    return done


PRINTING = """
def work():
    print("跳 caf\\u00e9 \\U0001f483 \\udcff")
    print("too \\u4e2d", file=sys.stderr)
    logging.getLogger("x").warning("log \\u4e2d")
"""


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"\\u8df3 caf\\xe9 \\U0001f483 \\udcff\n"),
        ("cp1252", b"\\u8df3 caf\xe9 \\U0001f483 \\udcff\n"),
        ("utf-8", "跳 café \U0001f483 \\udcff\n".encode()),
    ],
)
def test_what_a_console_lacks_is_an_escape(encoding, shown):
    done = ended(PRINTING, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout) == (0, shown)
    assert done.stderr.count(b"\n") == 2
    assert b"Traceback" not in done.stderr


PRINTS_ON = """
def work():
    for number in range(100_000):
        print(number)
    raise ValueError("not reached")
"""
LOGS_ON = """
def work():
    logging.basicConfig(stream=sys.stdout, level="INFO", force=True)
    try:
        logging.info("a line")
        print("b", flush=True)
    except Exception:
        print("a library tells of it", file=sys.stderr)
    return 0
"""
AT_THE_END = """
def work():
    print("short")
"""


@pytest.mark.parametrize("code", [PRINTS_ON, LOGS_ON, AT_THE_END])
def test_a_reader_that_has_left_ends_the_command_without_a_word(code):
    done = ended(code, head="stdout")
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("streams", ["stderr", "stdout stderr"])
def test_errors_that_nobody_reads(streams):
    done = ended("def work(): raise ValueError('a=3 must be 4')", head=streams)
    assert done.returncode == 141
    assert done.stdout in (b"", None)


def test_a_broken_pipe_of_something_else_is_an_error():
    done = ended("def work(): raise BrokenPipeError(32, 'Broken pipe', 'a worker')")
    assert (done.returncode, done.stderr) == (1, b"error: a worker can't be written or read (Broken pipe)\n")


def test_handlers_that_hold_the_stream_of_before_go_on():
    code = """
handler = logging.StreamHandler(sys.stdout)
def work():
    logging.getLogger("x").addHandler(handler)
    logging.getLogger("x").warning("\\u4e2d")
    print("after")
"""
    done = ended(code, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, b"\\u4e2d\nafter\n")


def test_an_exit_by_the_work_keeps_its_status_and_output():
    done = ended("def work(): print('x'); sys.exit(7)")
    assert (done.returncode, done.stdout) == (7, b"x\n")


@pytest.mark.parametrize(
    "words",
    [["-m", "stvit_video"], ["-m", "stvit_video.data", "explain", "--help"], ["-m", "stvit_video.ledger", "-h"]],
)
def test_commands_that_nobody_reads(words, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *words], stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_hydra_command_that_nobody_reads(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stvit_video.doctor", "--cfg", "job"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_warnings_of_ours_are_one_line_and_those_of_others_tell_their_place():
    done = ended("""
import warnings
import stvit_video.utils.console as ours
def work():
    for name in (ours.__file__, "/elsewhere/x.py"):
        warnings.warn_explicit("it is odd", UserWarning, name, 7)
""")
    assert done.stderr.decode().splitlines() == ["warning: it is odd", "/elsewhere/x.py:7: UserWarning: it is odd"]
