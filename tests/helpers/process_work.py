"""Things to do in another process for the tests: good, failing, deadly and endless ones, told by the file's name."""

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path

from stvit_video.data.curation import transcode as transcode_module
from stvit_video.data.curation.prepare_videos import Copied, copy_one
from stvit_video.data.curation.scan import VideoReport

multiprocessing.set_forkserver_preload(["stvit_video.data.curation.prepare_videos"])  # a new process starts in no time


def act(name):
    """The length of a name, unless the name says otherwise."""
    if "kill" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in name:
        time.sleep(1000)
    if "exit" in name:
        os._exit(3)
    if "fail" in name:
        raise OSError(f"no use for {name}")
    return len(name)


class DiesAtStart:
    """`act`, but the first processes that receive it end while they do."""

    def __init__(self, note, *, times):
        self.note, self.times = note, times

    def __setstate__(self, state):
        self.__dict__.update(state)
        with open(self.note, "a") as file:
            file.write("x")
        if os.path.getsize(self.note) <= self.times:
            os._exit(5)

    def __call__(self, item):
        return act(item)


def fake_inspect(path):
    """A report without decoding, or a dead or endless process."""
    return VideoReport(path=path, num_frames=act(Path(path).name), size_bytes=7)


def process_id(_item):
    """Which process this is."""
    return os.getpid()


def unpicklable(_item):
    """Something that can't travel between processes."""
    return lambda: None


def fake_copy(job):
    """Copies bytes; what the file's name says may come in the way."""
    name = Path(job.source).name
    if "full" in name:
        return Copied("full", "no room")
    if "hang" in name:
        job.part.write_bytes(b"half")
    act(name)
    Path(job.target).parent.mkdir(parents=True, exist_ok=True)
    Path(job.target).write_bytes(Path(job.source).read_bytes())
    return Copied("done")


def copy_on_a_full_disk(job, *, encoding, time_limit_seconds):
    """The real copy of the first file; the system has no room for those after it."""
    if "AAAAAAAAAAA" not in job.source:
        transcode_module._pictures = raise_full
    return copy_one(job, encoding=encoding, time_limit_seconds=time_limit_seconds)


def raise_full(_video, _chosen):
    """What writing to a full disk raises."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "copy.mp4")
