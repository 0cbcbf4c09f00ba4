"""Loader processes that the system ends in the middle of their work: which video they were at, and what to do."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.compat import find_lost_workers, is_of_full_shared_memory
from stvit_video.utils.open_files import OpenFilesError, is_of_open_files

MAX_WORKERS = 512  # of one loader; what later ones read is not noted
NOTHING = -1

_ADVICE = {
    "Killed": "most likely the machine's memory ran out; lower {0}num_workers or {0}batch_size",
    "Bus error": "most likely the shared memory (/dev/shm) is full; enlarge it (docker: --shm-size=16g, or "
    "--ipc=host), lower {0}num_workers or {0}batch_size, or use {0}num_workers=0, which needs none",
    "Terminated": "something outside asked it to stop, as a job scheduler does",
    "Segmentation fault": "a native library crashed; use {0}backend=isolated, which decodes in processes that may "
    "crash, or leave the video out of the list",
}
_OTHERWISE = "look for its own words above, or use {0}num_workers=0 to see them"


class ReadingNow:
    """Which listed video each process of a loader is reading; in shared memory, so that it outlives the process."""

    def __init__(self) -> None:
        self._slots = shared_where_it_fits(torch.full((MAX_WORKERS, 2), NOTHING, dtype=torch.int64))  # pid, video

    def share_memory(self) -> None:
        """Be in shared memory, also where it was full before.

        Raises:
            RuntimeError: it is full still.
        """
        self._slots.share_memory_()

    @contextmanager
    def of(self, index: int) -> Iterator[None]:
        """Note the video while the block runs; nothing is noted outside of loader processes."""
        worker = get_worker_info()
        if worker is None or worker.id >= MAX_WORKERS:
            yield
            return
        slot = self._slots[worker.id]
        slot[0], slot[1] = os.getpid(), index
        try:
            yield
        finally:
            slot[1] = NOTHING

    def video_of(self, pid: int) -> int | None:
        """The index of the video that this process is reading, or was when it ended; None = none, or not known."""
        videos = self._slots[self._slots[:, 0] == pid, 1].tolist()
        return next((video for video in videos if video != NOTHING), None)


class Watched(Protocol):
    """A data set that notes what is being read."""

    reading_now: ReadingNow

    @property
    def manifest(self) -> Manifest: ...

    def share_memory(self) -> None: ...


def shared_where_it_fits(tensor: Tensor) -> Tensor:
    """The tensor, in shared memory unless that is full; a loader without processes needs none."""
    try:
        return tensor.share_memory_()
    except RuntimeError as error:
        if not is_of_full_shared_memory(error):
            raise
        return tensor


def explain_worker_crash(error: BaseException, datasets: Iterable[Watched], *, prefix: str = "") -> str | None:
    """Say in one sentence which process was lost, at which video, why, and what helps.

    Args:
        error: what a data loader raised.
        datasets: what its processes were reading from.
        prefix: of the settings in the advice: "data." = data.num_workers, "" = num_workers.

    Returns:
        The sentence, without a full stop; None where the error is about something else.
    """
    if is_of_full_shared_memory(error):
        return full_memory_sentence("a batch", prefix=prefix)
    lost = find_lost_workers(error)
    if lost is None:
        return None
    watched, processes = list(datasets), ", ".join(map(str, lost.pids))
    paths = [path for pid in lost.pids for path in _paths(pid, watched)]
    ended = f"was ended by the system ({lost.signal})" if lost.signal else "ended unexpectedly"
    doing = f"while it read {', '.join(map(repr, paths))}" if paths else "while it was reading no video"
    return f"a loader process (pid {processes}) {ended} {doing}: {_advice(lost.signal, prefix)}"


def full_memory_sentence(what: str, *, prefix: str = "") -> str:
    """That the shared memory has no room for something, without a full stop."""
    return f"a loader process found no room for {what}: {_advice('Bus error', prefix)}"


@contextmanager
def naming_worker_crashes(datasets: Callable[[], Iterable[Watched]], *, prefix: str = "") -> Iterator[None]:
    """Make what a data loader raises when the system ends one of its processes, or denies it room, a sentence.

    `VideoLoader` does so for what it raises itself; torch tells a lost process at any other moment, too.

    Args:
        datasets: gives what its processes are reading from; asked when one is lost.
        prefix: see `explain_worker_crash`.

    Raises:
        WorkerCrashError: a process was lost, or found no room in the shared memory.
        OpenFilesError: too many files are open.
    """
    try:
        yield
    except (WorkerCrashError, OpenFilesError):
        raise
    except (RuntimeError, OSError) as error:
        watched = list(datasets())
        explanation = explain_worker_crash(error, watched, prefix=prefix)
        if explanation is not None:
            lost = _lost_videos(error, watched)
            raise WorkerCrashError(explanation, videos=lost or (), is_lost=lost is not None) from error
        if is_of_open_files(error):
            raise OpenFilesError from error
        raise


def _advice(signal: str, prefix: str) -> str:
    return _ADVICE.get(signal, _OTHERWISE).format(prefix)


def _lost_videos(error: BaseException, datasets: Iterable[Watched]) -> tuple[int, ...] | None:
    """Positions of what lost processes were reading; None = no process was lost."""
    lost = find_lost_workers(error)
    if lost is None:
        return None
    videos = [dataset.reading_now.video_of(pid) for dataset in datasets for pid in lost.pids]
    return tuple(sorted({video for video in videos if video is not None}))


def _paths(pid: int, datasets: Iterable[Watched]) -> list[str]:
    found = [(dataset.manifest, dataset.reading_now.video_of(pid)) for dataset in datasets]
    return [manifest.records[video].place for manifest, video in found if video is not None]
