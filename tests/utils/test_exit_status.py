"""The ends of commands: status, sentence, traceback."""

import multiprocessing
import signal
import subprocess
import sys
import time

import pytest

from stvit_video.utils.exit_status import CommandEnd, exit_status, sentence_of, take_debug


def raising(error, cause=None):
    def work():
        raise error from cause

    return work


@pytest.mark.parametrize(("given", "status"), [(None, 0), (0, 0), (1, 1), (143, 143)])
def test_the_status_of_the_work(given, status):
    assert exit_status(lambda: given) == status


class OddError(ValueError):
    """A failure although it is a ValueError."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("a=3 must be 4"), 2),
        (OddError("a=3 must be 4"), 1),
        (RuntimeError("a=3 must be 4"), 1),
        (OSError("a=3 must be 4"), 1),
        (CommandEnd(ValueError("a=3 must be 4")), 2),
        (CommandEnd(RuntimeError("a=3 must be 4")), 1),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_is_one_sentence_and_with_debug_a_traceback_before(error, status, debug, capsys):
    assert exit_status(raising(error), debug=debug, failures=(RuntimeError, OddError)) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("error: a=3 must be 4\n")
    assert err.count("\n") == 1 or debug
    assert err.startswith("Traceback") or not debug or isinstance(error, CommandEnd)


def test_bugs_and_other_exits_pass_through():
    with pytest.raises(KeyError):
        exit_status(raising(KeyError("x")), failures=(RuntimeError,))
    with pytest.raises(SystemExit) as caught:
        exit_status(raising(SystemExit(7)))
    assert caught.value.code == 7


def test_ctrl_c_is_130_without_a_word(capsys):
    def ends_as_lightning():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)

    assert exit_status(raising(KeyboardInterrupt())) == exit_status(ends_as_lightning) == 130
    assert capsys.readouterr() == ("", "")


def test_a_real_signal(tmp_path):
    code = (
        "import sys, time; from stvit_video.utils.exit_status import exit_status\n"
        "def work(): print('here', flush=True); time.sleep(60)\n"
        "sys.exit(exit_status(work))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (130, b"")


def test_files_of_the_system_are_named():
    assert sentence_of(FileNotFoundError(2, "No such file", "a b")) == "a b can't be written or read (No such file)"
    assert sentence_of(OSError("the disk is full")) == "the disk is full"


def test_debug_is_taken_off_but_for_a_file_of_that_name():
    assert take_debug(["a=1", "--debug", "-m", "--", "--debug"]) == (["a=1", "-m", "--", "--debug"], True)
    assert take_debug(["a=1", "--", "--debug"]) == (["a=1", "--", "--debug"], False)


@pytest.mark.parametrize("error", [OSError(24, "Too many open files", "v.mp4"), RuntimeError(), ValueError()])
def test_too_many_open_files_are_told_as_such(error, capsys):
    work = raising(error) if isinstance(error, OSError) else raising(error, OSError(24, "Too many open files"))
    assert exit_status(work) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: too many files are open")
    assert "`ulimit -n 4096`" in told
    assert "v.mp4" not in told


def test_processes_end_with_an_error_and_with_ctrl_c(capsys):
    for error, status in ((ValueError("x"), 2), (KeyboardInterrupt(), 130)):
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
        child.start()
        assert exit_status(raising(error)) == status
        assert not child.is_alive()
