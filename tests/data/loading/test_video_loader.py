"""Loaders whose processes can't send, are killed, sleep or find no room: each ends, and says why."""

import os
import signal
import threading
import time
import warnings

import pytest
import torch
from failing_queue import FULL, LocalErrors, Sleepy, UnsendableItems
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.multi_scale import SizedBatches
from stvit_video.data.loading.video_loader import ReadyToTravel, VideoLoader
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.child_processes import end_child_processes
from stvit_video.utils.open_files import OpenFilesError

SIZES = Preprocessing(num_frames=3, frame_stride=2, short_side=24, crop_size=20)


class Numbers(Dataset):
    """Items of different kinds: a tensor, a number, a text."""

    def __len__(self):
        return 7

    def __getitem__(self, index):
        return {"tensor": torch.full((2, 3), index), "number": index, "text": f"item {index}"}


def as_they_are(items):
    return items


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_are_those_of_torchs_own_loader(num_workers, persistent):
    settings = {"batch_size": 3, "num_workers": num_workers, "persistent_workers": persistent and num_workers > 0}
    loader = VideoLoader(Numbers(), **settings)
    for _ in range(2):  # processes that live on serve both
        batches, expected = list(loader), list(DataLoader(Numbers(), batch_size=3))
        assert len(batches) == len(expected) == 3
        for batch, other in zip(batches, expected, strict=True):
            assert torch.equal(batch["tensor"], other["tensor"])
            assert batch["number"].tolist() == other["number"].tolist()
            assert batch["text"] == other["text"]
    assert not loader.is_waiting


def test_without_batch_size_items_come_as_they_are():
    items = list(VideoLoader(Numbers(), batch_size=None, num_workers=1))
    assert [item["number"] for item in items] == list(range(7))
    assert items[3]["tensor"].tolist() == [[3] * 3] * 2


def test_an_empty_loader_gives_nothing():
    assert list(VideoLoader(Numbers(), batch_size=9, drop_last=True, num_workers=0)) == []


def test_torchs_own_loader_waits_for_what_can_not_be_sent(capfd):
    """Else `VideoLoader` would need no `ReadyToTravel`."""
    with pytest.raises(RuntimeError, match="timed out after 3 seconds"):
        list(DataLoader(UnsendableItems(), batch_size=2, num_workers=2, collate_fn=as_they_are, timeout=3))
    assert FULL in capfd.readouterr().err


@pytest.mark.parametrize(("batch_size", "prefix"), [(2, ""), (None, "data.")])
def test_a_batch_without_room_is_one_sentence(batch_size, prefix):
    loader = VideoLoader(UnsendableItems(), batch_size=batch_size, num_workers=2, collate_fn=as_they_are, prefix=prefix)
    words = rf"no room .*/dev/shm.*--shm-size=.*lower {prefix}num_workers or .*{prefix}num_workers=0"
    start = time.monotonic()
    with pytest.raises(WorkerCrashError, match=words):
        list(loader)
    assert time.monotonic() - start < 10


def test_an_error_of_an_unknown_class_arrives():
    with pytest.raises(RuntimeError, match="item 0 is odd"):
        list(VideoLoader(LocalErrors(), batch_size=1, num_workers=1))


def test_other_processes_end_at_once_with_the_lost_one():
    loader = VideoLoader(Sleepy(num_quick=2), batch_size=1, num_workers=2, persistent_workers=True)
    start = time.monotonic()

    def lose():
        batches = iter(loader)
        os.kill(int(next(batches)[0, 1]), signal.SIGKILL)
        list(batches)

    with pytest.raises(WorkerCrashError, match=r"\(Killed\)"):
        lose()
    assert time.monotonic() - start < 8  # torch would wait 10 s for the other


def test_ctrl_c_ends_processes_that_sleep():
    loader = VideoLoader(Sleepy(), batch_size=1, num_workers=3)
    main = threading.main_thread().ident

    def press():
        while not loader.is_waiting:
            time.sleep(0.02)
        time.sleep(1)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(loader)
    thread.join()
    assert time.monotonic() - start < 8
    assert not loader.is_waiting


def test_idle_loaders_are_ended_with_all_processes_and_serve_again():
    loader = VideoLoader(Sleepy(num_quick=50), batch_size=5, num_workers=2, persistent_workers=True)
    first = {int(row[1]) for batch in loader for row in batch}
    end_child_processes()
    second = {int(row[1]) for batch in loader for row in batch}
    assert len(first) == len(second) == 2
    assert not first & second


def test_sized_batches_name_the_video_too(small_manifest):
    clips = ClipDataset(small_manifest, preprocessing=SIZES, transform=TrainTransform(SIZES))
    assert VideoLoader(clips, batch_size=1, num_workers=0)._watched() == [clips]
    assert VideoLoader(SizedBatches(clips), batch_size=None, num_workers=0)._watched() == [clips]
    assert VideoLoader(Numbers(), batch_size=1, num_workers=0)._watched() == []


class Exhausting(Dataset):
    """Says what a process says whose limit of open files is reached."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise OSError(24, "Too many open files", "v.mp4")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_limit_of_open_files_is_told(num_workers):
    with pytest.raises(OpenFilesError, match=r"ulimit -n 4096"):
        list(VideoLoader(Exhausting(), batch_size=1, num_workers=num_workers))


def test_outside_of_a_process_nothing_is_made_ready():
    assert ReadyToTravel(as_they_are)([1, 2]) == [1, 2]


def test_many_processes_are_nobodys_fault():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert len(list(VideoLoader(list(range(8)), batch_size=1, num_workers=8))) == 8
