import errno
import fcntl
import subprocess
import sys

import pytest

from stvit_video.utils.file_lock import file_lock

HOLD = """
import os, sys, time
from pathlib import Path
from stvit_video.utils.file_lock import file_lock
with file_lock(Path(sys.argv[1])):
    child = os.fork()  # as a loader is, which may outlive its killed parent
    if child == 0:
        print(os.getpid(), flush=True)  # the fork is over: it has let go
        time.sleep(60)
        os._exit(0)
    time.sleep(60)
"""


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(tmp_path):
    file = tmp_path / ".lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE, text=True)
    child = int(other.stdout.readline())
    try:
        with pytest.raises(BlockingIOError), file_lock(file):
            pass
        other.kill()
        other.wait(timeout=30)
        subprocess.run(["kill", "-0", str(child)], check=True)  # it lives
        with file_lock(file), pytest.raises(BlockingIOError), file_lock(file):
            pass
    finally:
        other.kill()
        subprocess.run(["kill", "-9", str(child)], check=False)
        other.stdout.close()


def test_it_is_free_again_after_an_error(tmp_path):
    with pytest.raises(KeyError, match="in it"), file_lock(tmp_path / ".lock"):
        raise KeyError("in it")
    with file_lock(tmp_path / ".lock"):
        assert (tmp_path / ".lock").is_file()


def test_where_the_system_has_no_locks_is_a_warning(tmp_path, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    words = r"can't be locked \(No locks available\); see to it that nothing else is started in this folder"
    with pytest.warns(UserWarning, match=words), file_lock(tmp_path / ".lock"):
        inside = True
    assert inside
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with (
        pytest.warns(UserWarning, match=r"can't be locked \(this system has no flock\)"),
        file_lock(tmp_path / ".lock"),
    ):
        inside = False
    assert not inside


def test_a_folder_that_can_not_be_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), file_lock(tmp_path / "gone" / ".lock"):
        pass
    assert not (tmp_path / "gone").exists()
