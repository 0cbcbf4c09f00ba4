"""Loader processes that are really killed, and the sentence that comes of it."""

import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.loading.worker_crashes import ReadingNow, explain_worker_crash, naming_worker_crashes
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform

SIZES = Preprocessing(num_frames=3, frame_stride=2, short_side=24, crop_size=20)


class Deadly:
    """Ends its process with a signal at the video of 70 x 50 pixels."""

    def __init__(self, number):
        self.number = number

    def __call__(self, frames, *, generator):
        if frames.shape[1:3] == (50, 70):
            os.kill(os.getpid(), self.number)
        return TrainTransform(SIZES)(frames, generator=generator)


def loaded(dataset, **settings):
    """What a loader with two processes raises; None = nothing."""
    try:
        for _ in VideoLoader(dataset, num_workers=2, batch_size=None, **settings):
            pass
    except RuntimeError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, r"\(Killed\) .*memory ran out\b.*data\.num_workers\b"),
        (signal.SIGBUS, r"\(Bus error\) .*shared memory \(/dev/shm\)"),
        (signal.SIGSEGV, r"\(Segmentation fault\) .*native library .*data\.backend=isolated\b"),
    ],
)
def test_a_killed_process_is_explained_by_its_video(small_manifest, number, words, capfd):
    dataset = ClipDataset(small_manifest, preprocessing=SIZES, transform=Deadly(number))
    text = explain_worker_crash(loaded(dataset), [dataset], prefix="data.")
    path = str(small_manifest.records[3].path)
    assert re.search(r"loader process \(pid \d+\)", text)
    assert f"while it read {path!r}: " in text
    assert re.search(words, text)
    assert sum(record.path.name in text for record in small_manifest.records) == 1
    assert capfd.readouterr().out == ""


def test_a_killed_process_of_validation_is_explained_too(small_manifest, monkeypatch):
    dataset = ViewDataset(small_manifest, preprocessing=SIZES)
    monkeypatch.setattr(dataset, "source", KillingSource(dataset.source))
    other = ClipDataset(small_manifest, preprocessing=SIZES, transform=TrainTransform(SIZES))
    text = explain_worker_crash(loaded(dataset), [other, dataset])
    assert f"while it read {str(small_manifest.records[1].path)!r}: " in text


class KillingSource:
    """Ends its process at the second video."""

    def __init__(self, source):
        self.source = source

    def read(self, record, choose):
        if record.path.name == "v1.mp4":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.source.read(record, choose)


class Exits(Dataset):
    """Leaves in the middle of its work, while it reads nothing that was noted."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        os._exit(3)


def test_a_process_that_exits_without_a_signal(small_manifest):
    watched = ClipDataset(small_manifest, preprocessing=SIZES, transform=TrainTransform(SIZES))
    text = explain_worker_crash(loaded(Exits()), [watched], prefix="data.")
    assert "ended unexpectedly while it was reading no video: look for its own words above, or use data.num_" in text


@pytest.mark.parametrize(
    "words",
    [
        "unable to allocate shared memory(shm) for file </torch_7_8_9>: Resource temporarily unavailable (11)",
        "unable to write to file </torch_7_8_9>: No space left on device (28)",
    ],
)
def test_full_shared_memory_is_told(words):
    text = explain_worker_crash(RuntimeError(f"Caught RuntimeError in DataLoader worker process 0. {words}"), [])
    assert re.search(r"loader process .*no room .*shared memory \(/dev/shm\)", text)


def test_other_errors_are_left_alone():
    assert explain_worker_crash(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), []) is None


def test_nothing_is_noted_outside_of_loaders_and_after_the_work():
    now = ReadingNow()
    with now.of(5):
        assert now.video_of(os.getpid()) is None
    noted = list(DataLoader(Noting(now), num_workers=1, batch_size=None))
    assert [video for video, _ in noted] == [0, 1, 2]
    assert now.video_of(int(noted[0][1])) is None


class Noting(Dataset):
    """Items are what is noted for their own process while they are made, and its number."""

    def __init__(self, now):
        self.now = now

    def __len__(self):
        return 3

    def __getitem__(self, index):
        found = []
        with pytest.raises(ValueError, match="^a failure$"):
            self.fail(index, found)
        assert self.now.video_of(os.getpid()) is None
        return torch.tensor([*found, os.getpid()])

    def fail(self, index, found):
        with self.now.of(index):
            found.append(self.now.video_of(os.getpid()))
            raise ValueError("a failure")


def test_errors_of_lost_workers_are_named_and_others_pass():
    # the whole sentence, once for its family
    whole = (
        r"^a loader process \(pid 7\) ended unexpectedly while it was reading no video: look for its own words above, "
        r"or use data\.num_workers=0 to see them$"
    )
    with pytest.raises(WorkerCrashError, match=whole), naming_worker_crashes(list, prefix="data."):
        raise RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly")
    with pytest.raises(RuntimeError, match=r"^shapes$"), naming_worker_crashes(list):
        raise RuntimeError("shapes")


def test_data_sets_are_asked_for_when_a_process_is_lost():
    made = []

    def lose():
        manifest = Manifest((VideoRecord(Path("seen.mp4"), 0, "x"),), ("a",))
        made.append(SimpleNamespace(manifest=manifest, reading_now=ReadingNow()))
        made[0].reading_now._slots[0] = torch.tensor([7, 0])
        raise RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly")

    with pytest.raises(WorkerCrashError, match=r"while it read 'seen\.mp4'"), naming_worker_crashes(lambda: made):
        lose()
