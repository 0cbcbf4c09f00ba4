"""Decoders that hang and crash, in processes of their own: every time an error in time that names the file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from video_cases import both
from video_maker import make_video, whole_file

from stvit_video.data.decoding import isolated_backend
from stvit_video.data.decoding import video as decode
from stvit_video.data.decoding.request import DecodeError, DecodeTimeoutError
from stvit_video.data.decoding.video import open_video
from stvit_video.utils.optional import MissingLibraryError

pytestmark = pytest.mark.skipif(not isolated_backend.CAN_ISOLATE, reason="decoding processes need a POSIX system")
# A decord that does something bad in its constructor, or opens and does it when frames are read.
FAKE_DECORD = """
import ctypes, os, pathlib, signal, time
HERE = pathlib.Path(__file__).parent

def cpu(number):
    return None

def act():
    (HERE / "pid").write_text(str(os.getpid()))
    {deed}

class VideoReader:
    def __init__(self, path, ctx, num_threads):
        if {when!r} == "open":
            act()

    def __len__(self):
        return 3

    def get_batch(self, indices):
        act()
"""
HANGS = {
    "sleep": "time.sleep(1e6)",
    "busy loop": "while True: pass",
    "native call that keeps the interpreter's lock": "ctypes.PyDLL(None).pause()",
    "stopped by a signal": "os.kill(os.getpid(), signal.SIGSTOP)",
}
CRASHES = {
    "os.kill(os.getpid(), signal.SIGKILL)": r".*signal SIGKILL; .*memory\?",
    "ctypes.string_at(0)": ".*signal SIGSEGV",
    "ctypes.CDLL(None).abort()": ".*signal SIGABRT",
    "os._exit(7)": ".*ended with status 7",
    "raise MemoryError": "decord says: MemoryError",
}


@pytest.fixture
def clip(tmp_path):
    return make_video(tmp_path / "clip.mp4", num_frames=3)


@pytest.fixture
def fake_decord(tmp_path, monkeypatch):
    """A function that makes new decoding processes import a decord that does a bad deed."""
    (tmp_path / "fake").mkdir()

    def install(deed, *, when="open"):
        (tmp_path / "fake" / "decord.py").write_text(FAKE_DECORD.format(deed=deed, when=when))
        monkeypatch.syspath_prepend(tmp_path / "fake")
        isolated_backend.stop_idle_decoders()
        return tmp_path / "fake" / "pid"

    yield install
    isolated_backend.stop_idle_decoders()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def soon(condition, *, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("deed", HANGS.values(), ids=HANGS)
def test_a_hanging_decoder_is_killed_in_time(clip, fake_decord, deed, monkeypatch):
    monkeypatch.setattr(isolated_backend, "GRACE_SECONDS", 0.4)
    pid_file, limits, receive = fake_decord(deed), [], isolated_backend.receive_message

    def noted(channel, deadline):
        limits.append(deadline.remaining_seconds())
        return receive(channel, deadline)

    monkeypatch.setattr(isolated_backend, "receive_message", noted)
    with pytest.raises(DecodeTimeoutError, match=r"clip\.mp4' .*'decord': .*time limit of 0\.3 s"):
        open_video(clip, backend="decord", time_limit_seconds=0.3)
    assert 0.5 < limits[-1] <= 0.3 + 0.4  # what it is given, and the grace
    assert soon(lambda: not is_running(int(pid_file.read_text())))


def test_a_read_that_hangs_is_killed_and_the_next_has_a_new_process(clip, fake_decord):
    pid_file = fake_decord(HANGS["sleep"], when="read")
    with open_video(clip, backend="decord", time_limit_seconds=0.3) as video:
        pids = set()
        for _ in range(2):
            with pytest.raises(DecodeTimeoutError, match=r"call of decord .*time limit of 0\.3 s"):
                video.read([2])
            pids.add(pid_file.read_text())
    assert len(pids) == 2
    assert soon(lambda: not any(is_running(int(pid)) for pid in pids))


@pytest.mark.parametrize(("deed", "text"), CRASHES.items())
@pytest.mark.parametrize("when", ["open", "read"])
def test_a_crash_is_an_error_of_the_file_alone(clip, fake_decord, deed, text, when):
    fake_decord(deed, when=when)
    with pytest.raises(DecodeError, match=rf"clip\.mp4' .*'decord': {text}$"):  # noqa: SIM117
        with open_video(clip, backend="decord") as video:
            video.read([0])
    with open_video(clip, isolate=True) as video:
        np.testing.assert_array_equal(video.read([2, 0]), whole_file(clip)[[2, 0]])


def test_a_process_that_is_killed_from_outside_is_named_and_replaced(clip):
    with open_video(clip, backend="pyav", isolate=True) as video:
        first = video._reader._worker
        os.kill(first.pid, signal.SIGKILL)
        assert soon(lambda: not first.is_usable)
        np.testing.assert_array_equal(video.read([1]), whole_file(clip)[[1]])
        assert video._reader._worker.pid != first.pid


@pytest.mark.parametrize("backend", ["pyav", "decord", "auto", "isolated"])
@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_isolated_reading_gives_the_same_frames(case, backend):
    if backend == "decord":
        pytest.importorskip("decord")
    path, order = case.path, [31, 0, 17, 17]
    with open_video(path, backend=backend, isolate=None if backend == "isolated" else True) as video:
        assert isinstance(video._reader, isolated_backend.IsolatedReader)
        assert (video.num_frames, video.height, video.width) == (32, case.height, case.width)
        np.testing.assert_array_equal(video.read(order), whole_file(path)[order])
        assert video.read([]).shape == (0, case.height, case.width, 3)


def test_a_file_that_must_be_counted_is_counted_there(get_case):
    trim = get_case("stream_copied_trim.mp4")
    with open_video(trim.path, isolate=True) as video:
        assert video.num_frames == trim.num_frames
    with pytest.raises(DecodeError, match=r"corrupted\.mp4' .*'pyav': .*Invalid data"):
        open_video(get_case("corrupted.mp4").path, isolate=True)


def test_one_process_serves_one_video_after_another(tmp_path):
    paths = [make_video(tmp_path / f"{number}.mp4", num_frames=number) for number in (2, 3, 5)]
    pids = []
    for path in paths:
        with open_video(path, isolate=True) as video:
            assert len(video.read(range(video.num_frames))) == int(path.stem)
            pids.append(video._reader._worker.pid)
    assert len(set(pids)) == 1
    with open_video(paths[0], isolate=True) as first, open_video(paths[1], isolate=True) as second:
        assert first._reader._worker.pid != second._reader._worker.pid
        np.testing.assert_array_equal(second.read([2]), whole_file(paths[1])[[2]])
        np.testing.assert_array_equal(first.read([1]), whole_file(paths[0])[[1]])


class Clips(torch.utils.data.Dataset):
    """Frame 7 of a video, over and over."""

    def __init__(self, path):
        self.path = path

    def __len__(self):
        return 4

    def __getitem__(self, number):
        with open_video(self.path, isolate=True) as video:
            return torch.from_numpy(video.read([7])), video._reader._worker.pid, os.getpid()


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_data_loader_workers_have_decoding_processes_of_their_own(case, start_method):
    mine = isolated_backend._acquire()
    isolated_backend._release(mine)  # an idle one that a fork must not take
    loader = torch.utils.data.DataLoader(Clips(case.path), num_workers=2, multiprocessing_context=start_method)
    batches = list(loader)
    expected = torch.from_numpy(whole_file(case.path)[7:8])
    assert all(torch.equal(frames[0], expected) for frames, _, _ in batches)
    owners = {int(pid): int(owner) for _, pid, owner in batches}
    assert len(set(owners.values())) == 2
    assert mine.pid not in owners
    assert soon(lambda: not any(is_running(pid) for pid in owners))  # they end with their data loader worker
    assert mine.is_usable


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_processes_end_with_the_process_that_started_them(case):
    code = (
        "import os, sys; sys.path[:] = sys.argv[2:]; from stvit_video.data.decoding.video import open_video\n"
        "video = open_video(sys.argv[1], isolate=True); print(video._reader._worker.pid, flush=True); os._exit(0)"
    )
    command = [sys.executable, "-c", code, str(case.path), *sys.path]
    pid = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert soon(lambda: not is_running(pid))


@pytest.mark.slow
def test_a_hanging_process_ends_by_itself_when_its_starter_is_gone(tmp_path, fake_decord):
    make_video(tmp_path / "clip.mp4", num_frames=3)
    pid_file = fake_decord(HANGS["native call that keeps the interpreter's lock"])
    code = (
        "import sys; sys.path[:] = sys.argv[2:]; from stvit_video.data.decoding.video import open_video\n"
        "open_video(sys.argv[1], backend='decord', time_limit_seconds=2)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "clip.mp4"), *sys.path])
    assert soon(pid_file.exists, seconds=20)
    starter.kill()
    starter.wait()
    pid = int(pid_file.read_text())
    assert is_running(pid)
    assert soon(lambda: not is_running(pid), seconds=12)


def test_a_process_that_does_not_start_is_no_fault_of_the_file(clip, monkeypatch):
    isolated_backend.stop_idle_decoders()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match=r"'/bin/false' did not start .*backend=auto\b"):
        open_video(clip, isolate=True)


def test_a_library_that_does_not_import_there_is_missing(clip, fake_decord):
    fake_decord("")
    (Path(sys.path[0]) / "decord.py").write_text("raise OSError('libcrypt.so.1 is gone')")
    # the whole sentence, once for its family
    whole = (
        r"^backend='decord' needs the library 'decord', which does not import here "
        r"\(OSError: libcrypt\.so\.1 is gone\); install it with: pip install decord$"
    )
    with pytest.raises(MissingLibraryError, match=whole):
        open_video(clip, backend="decord")
    with open_video(clip) as video:
        assert video.backend == "pyav"


def test_without_posix_it_is_refused_or_left_out(clip, monkeypatch):
    monkeypatch.setattr(decode, "CAN_ISOLATE", False)
    with pytest.raises(ValueError, match="isolate=True .*POSIX"):
        open_video(clip, isolate=True)
    with open_video(clip) as video:
        assert not isinstance(video._reader, isolated_backend.IsolatedReader)
