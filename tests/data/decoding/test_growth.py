"""No descriptor and no memory is lost over thousands of opens, in this process and in the decoding one."""

import ctypes
import gc
import os
from pathlib import Path

import pytest

from stvit_video.data.decoding import isolated_backend
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the figures of Linux's /proc")
NAMES = (
    "short_32.mp4",
    "rotated_90.mov",
    "h265.mp4",
    "h264_10bit.mp4",
    "-one_pixel.mp4",
    "corrupted.mp4",
    "empty.webm",
)


@pytest.fixture
def paths(get_case):
    return [get_case(name).path for name in NAMES]


def open_and_read(paths, count):
    """`count` opens, one case after another, good and bad; how many could be read."""
    num_read = 0
    for number in range(count):
        try:
            with open_video(paths[number % len(paths)]) as video:
                num_read += len(video.read([0, video.num_frames - 1])) == 2
        except DecodeError:
            continue
    return num_read


def figures():
    """(open descriptors, resident MB) of this process and of the idle decoding processes."""
    gc.collect()
    if hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)  # what is freed but kept for later is no growth
    return [of_process(pid) for pid in [os.getpid(), *(worker.pid for worker in isolated_backend._idle)]]


def of_process(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(status.split("VmRSS:")[1].split()[0])
    return len(os.listdir(f"/proc/{pid}/fd")), kilobytes / 1024


@needs_proc
def test_descriptors_do_not_grow_over_seventy_opens(paths):
    open_and_read(paths, 7)
    before = figures()
    assert open_and_read(paths, 70) == 50
    after = figures()
    assert [descriptors for descriptors, _ in after] == [descriptors for descriptors, _ in before]


@pytest.mark.slow
@needs_proc
def test_neither_descriptors_nor_memory_grow_over_two_thousand_opens(paths, capsys):
    isolated_backend.stop_idle_decoders()
    open_and_read(paths, 210)
    before = figures()
    assert open_and_read(paths, 2002) == 1430
    after = figures()
    with capsys.disabled():
        print(f"\n(descriptors, MB) before {before}, after {after}")
    assert len(after) == len(before)
    for (descriptors, megabytes), (descriptors_after, megabytes_after) in zip(before, after, strict=True):
        assert descriptors_after == descriptors
        assert megabytes_after < megabytes + 8
