"""Predict many videos by a bundle: read ahead by threads, run through the graph in batches, told in order."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np

from stvit_video.bundles.bundle_views import ClipViews
from stvit_video.bundles.runtimes import Graph
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD

Item = TypeVar("Item")
Found = TypeVar("Found")
Read = Callable[[VideoRecord], ClipViews]
Tell = Callable[[VideoRecord, ClipViews, np.ndarray], Prediction]


def logits_of_views(graph: Graph, views: np.ndarray) -> np.ndarray:
    """Logits (V, num_classes) float32 of views (V, T, H, W, 3), a bounded number at a time."""
    starts = range(0, len(views), MAX_VIEWS_PER_FORWARD)
    return np.concatenate([graph(views[start : start + MAX_VIEWS_PER_FORWARD]) for start in starts])


def predict_views(
    graph: Graph, records: Sequence[VideoRecord], *, read: Read, tell: Tell, num_workers: int, batch_size: int
) -> Iterator[Prediction]:
    """Exactly one prediction for each record, in order, those that can't be read included.

    Args:
        graph: runs in the thread that asks for the predictions.
        records: the videos.
        read: gives the views of one.
        tell: from a record, its views and their logits (V, num_classes) to its prediction.
        num_workers: threads that read; 0 = none beside this one.
        batch_size: videos whose views run together.
    """
    readings = in_order(partial(_reading, read), records, num_workers=num_workers)
    waiting = zip(records, readings, strict=True)
    while batch := list(islice(waiting, batch_size)):
        views = [found for _, found in batch if isinstance(found, ClipViews)]
        logits = iter(_logits(graph, views))
        for record, found in batch:
            if isinstance(found, ClipViews):
                yield tell(record, found, next(logits))
            else:
                yield Prediction(file=record.path, error=found)


def in_order(work: Callable[[Item], Found], items: Sequence[Item], *, num_workers: int) -> Iterator[Found]:
    """What `work` makes of each item, in order; threads are at most one item each ahead of what was taken."""
    if num_workers == 0:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(num_workers, thread_name_prefix="reading videos")
    try:
        ahead: deque[Future[Found]] = deque()
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) > num_workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _reading(read: Read, record: VideoRecord) -> ClipViews | str:
    """The views, or why there are none."""
    try:
        return read(record)
    except DecodeError as error:
        return str(error)


def _logits(graph: Graph, videos: Sequence[ClipViews]) -> Iterator[np.ndarray]:
    """Logits (V, num_classes) of each video; equal views of one are computed once."""
    if not videos:
        return
    distinct = [sorted(set(video.same_as)) for video in videos]
    views = [video.views[numbers] for video, numbers in zip(videos, distinct, strict=True)]
    logits = logits_of_views(graph, np.concatenate(views))  # (distinct views of all videos, num_classes)
    start = 0
    for video, numbers in zip(videos, distinct, strict=True):
        places = [start + numbers.index(same) for same in video.same_as]
        yield logits[places]
        start += len(numbers)
