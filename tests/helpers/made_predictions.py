"""Predictions without a model: of made-up videos, by an engine that counts, breaks off, and finds broken files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.listed_video import ListedVideo

LABELS = ("run", 'say "hi", twice', "two\nlines | café")
MADE_WITH = {"checkpoint": "a" * 64, "top_k": 3, "threshold": None, "features": True, "num_clips": 5}


def videos_of(*names: str, root: str = "/videos") -> tuple[ListedVideo, ...]:
    return tuple(ListedVideo(name, f"{root}/{name}") for name in names)


def prediction_of(path: str | Path) -> Prediction:
    """A prediction that the name decides; an error where it begins with "broken"."""
    name = Path(path).name
    if name.startswith("broken"):
        return Prediction(file=Path(path), error=f"can't decode '{name}',\nit is no video")
    weight = sum(name.encode("utf-8", "surrogateescape")) % 7 / 7
    return Prediction(
        file=Path(path),
        labels=LABELS,
        probabilities=(0.5 + weight / 3, 0.25, 1e-7),
        seconds=2.5,
        features=np.array([weight, -1 / 3], dtype=np.float32),
    )


class Engine:
    """Stands for `predict_records`.

    Attributes:
        seen: names of all videos that it was asked for and gave, in order.
        stop_after: raises `error` once so many are given; None = never.
    """

    def __init__(self, *, stop_after: int | None = None, error: BaseException | None = None) -> None:
        self.seen: list[str] = []
        self.stop_after, self.error = stop_after, error or KeyboardInterrupt()

    def __call__(self, records: Sequence[VideoRecord]) -> Iterator[Prediction]:
        for number, record in enumerate(records):
            if number == self.stop_after:
                raise self.error
            self.seen.append(record.path.name)
            yield prediction_of(record.path)


@contextmanager
def no_watch(*, total: int, done: int) -> Iterator:
    """Shows nothing."""
    yield lambda prediction: None


def same(first: Prediction, second: Prediction) -> bool:
    """Whether two predictions are equal, to the last bit."""
    texts = [(one.file, one.labels, one.probabilities, str(one.seconds), one.error) for one in (first, second)]
    return texts[0] == texts[1] and np.array_equal(*(np.array(one.features) for one in (first, second)))
