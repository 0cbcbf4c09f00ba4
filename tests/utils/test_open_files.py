"""The limit of open files: really reached in a process of its own, and its sentence."""

import os
import subprocess
import sys
from contextlib import suppress

import pytest

from stvit_video.utils.open_files import (
    OpenFilesError,
    is_of_open_files,
    open_files_sentence,
    refuse_for_open_files,
)

resource = pytest.importorskip("resource")


def chained(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_of_it"),
    [
        (OSError(24, "Too many open files", "a.mp4"), True),
        (OSError(23, "Too many open files in system"), True),
        (OSError(2, "No such file or directory", "a.mp4"), False),
        (ValueError("a.mp4 can't be opened"), False),
        (chained(ValueError("a.mp4 can't be opened"), OSError(24, "x")), True),
        (RuntimeError("unable to open shared memory object </torch_1>: Too many open files (24)"), True),
        (RuntimeError("received 0 items of ancdata"), True),
    ],
)
def test_which_errors_are_of_it(error, is_of_it):
    assert is_of_open_files(error) is is_of_it
    if is_of_it:
        with pytest.raises(OpenFilesError):
            refuse_for_open_files(error)
    else:
        refuse_for_open_files(error)


def test_a_hidden_cause_is_found_by_opening_a_file():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, limits[1]))
    held = []
    try:
        for _ in range(highest + 1):
            with suppress(OSError):
                held.append(os.open(os.devnull, os.O_RDONLY))
        assert is_of_open_files(ValueError("the library says something else"))
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert not is_of_open_files(ValueError("the library says something else"))


def test_the_sentence_names_the_limit_and_the_way_out(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 100000))
    assert "may have 64 at a time" in open_files_sentence()
    assert "`ulimit -n 4096`" in open_files_sentence()
    assert "hard limit" not in open_files_sentence()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    assert "hard limit here is 64" in open_files_sentence()
    assert str(OpenFilesError("Caught OpenFilesError in DataLoader worker process 0.")) == open_files_sentence()


def test_a_command_tells_it_and_no_fault_of_its_file(tiny_run, tmp_path):
    """Really: the process may open no further file while it works."""
    code = (
        "import resource, sys; from stvit_video.predict import main; import stvit_video.predictions.label_run as p\n"
        "load_recognizer = p.load_recognizer\n"
        "def load(*a, **k):\n"
        "    r = load_recognizer(*a, **k); resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); return r\n"
        "p.load_recognizer = load; sys.exit(main(sys.argv[1:]))"
    )
    words = [f"ckpt_path={tiny_run.checkpoint}", "--", str(tiny_run.videos[1])]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: too many files are open")
    assert "Traceback" not in done.stderr.split("Exception ignored")[0]  # torch's own end opens a file, too
