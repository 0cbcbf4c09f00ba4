"""Many videos: in order, in batches, equal views once, and read ahead by a bounded number of threads."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from stvit_video.bundles.bundle_predicting import in_order, logits_of_views, predict_views
from stvit_video.bundles.bundle_views import ClipViews
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.inference.prediction import Prediction

RECORDS = [VideoRecord(path=Path(f"{number}.mp4"), label=0, video_id=str(number)) for number in range(7)]


class Sums:
    """A graph whose two logits are the sum of a view and its negative; notes the batches."""

    runtime = "none"

    def __init__(self):
        self.batches = []

    def __call__(self, frames):
        self.batches.append(len(frames))
        sums = frames.reshape(len(frames), -1).sum(1, dtype=np.float32)
        return np.stack([sums, -sums], axis=1)


def read(record: VideoRecord) -> ClipViews:
    """Three views of number, number + 1 and number again; video 4 is broken."""
    number = int(record.video_id)
    if number == 4:
        raise DecodeError("4.mp4 is broken")
    views = np.full((3, 1, 2, 2, 3), number, dtype=np.uint8)
    views[1] += 1
    return ClipViews(views, 1.0, [0, 1, 0])


def tell(record, found, logits):
    return Prediction(file=record.path, labels=("a",), probabilities=tuple(logits[:, 0] / 12))


@pytest.mark.parametrize(("num_workers", "batch_size"), [(0, 1), (0, 3), (2, 2), (3, 9)])
def test_each_once_and_in_order(num_workers, batch_size):
    graph = Sums()
    told = list(predict_views(graph, RECORDS, read=read, tell=tell, num_workers=num_workers, batch_size=batch_size))
    assert [one.file for one in told] == [record.path for record in RECORDS]
    assert told.pop(4).error == "4.mp4 is broken"
    assert [one.probabilities for one in told] == [(n, n + 1, n) for n in (0, 1, 2, 3, 5, 6)]
    assert sum(graph.batches) == 12  # 6 videos of 2 distinct views


def test_views_run_a_bounded_number_at_a_time():
    graph = Sums()
    views = np.arange(37, dtype=np.uint8)[:, None, None, None, None].repeat(3, axis=4)
    assert logits_of_views(graph, views)[:, 0].tolist() == [3 * n for n in range(37)]
    assert graph.batches == [16, 16, 5]


@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_threads_are_not_far_ahead(num_workers):
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.002 * (item % 3))
        return item * item

    results = in_order(work, range(20), num_workers=num_workers)
    for number, result in enumerate(results):
        assert result == number * number
        assert len(begun) <= number + 1 + num_workers


def test_no_thread_is_left_behind_when_nobody_asks_on():
    results = in_order(abs, range(50), num_workers=2)
    assert next(results) == 0
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading videos")]


def test_other_errors_pass_through():
    def fail(record):
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        list(predict_views(Sums(), RECORDS, read=fail, tell=tell, num_workers=2, batch_size=2))
