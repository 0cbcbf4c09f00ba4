"""How many videos a second a checkpoint labels, one call a video and by several processes."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from stvit_video.inference.recognizer import Recognizer
from stvit_video.layers.numbers import whole_number

Way = tuple[str, Callable[[], object]]


@dataclass(frozen=True, kw_only=True)
class PredictSpeed:
    """One way of labelling a list of videos.

    Attributes:
        way: in words.
        videos_per_second: by wall time, the median over the rounds.
        cpu_seconds: of a video, all processes counted; the median over the rounds.
    """

    way: str
    videos_per_second: float
    cpu_seconds: float


def measure_predicting(
    recognizer: Recognizer, files: Sequence[Path], *, num_workers: Sequence[int], repeats: int = 5
) -> list[PredictSpeed]:
    """Label all files by one call each, then in batches with each number of processes, turn by turn.

    Args:
        recognizer: the checkpoint.
        files: videos that can be read.
        num_workers: processes that decode; 0 = the one that runs the model.
        repeats: rounds; one more, which does not count, comes first.

    Raises:
        ValueError: no files, or a number is out of range.
        DecodeError: a file can't be read.
    """
    if not files:
        raise ValueError("there is nothing to measure; give at least one video")
    whole_number("repeats", repeats)
    ways: list[Way] = [("one call a video", lambda: [recognizer(file) for file in files])]
    for number in num_workers:
        ways.append((f"a list, num_workers={number}", _of_list(recognizer, files, number)))
    rounds = [[_timed(run) for _, run in ways] for _ in range(repeats + 1)][1:]
    return [
        PredictSpeed(
            way=way,
            videos_per_second=len(files) / median(one[place][0] for one in rounds),
            cpu_seconds=median(one[place][1] for one in rounds) / len(files),
        )
        for place, (way, _) in enumerate(ways)
    ]


def format_speeds(speeds: Sequence[PredictSpeed]) -> str:
    """A table in Markdown; ratios are to the first row."""
    rows = []
    for one in speeds:
        ratio = one.videos_per_second / speeds[0].videos_per_second
        rows.append(f"| {one.way} | {one.videos_per_second:.1f} | {ratio:.2f} | {1e3 * one.cpu_seconds:.1f} |")
    return "\n".join(["| way | videos/s | ratio | CPU ms a video |", "|---|--:|--:|--:|", *rows])


def _of_list(recognizer: Recognizer, files: Sequence[Path], num_workers: int) -> Callable[[], object]:
    return lambda: recognizer(list(files), num_workers=num_workers)


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time, and of all processes' CPU time."""
    start, cpu_start = time.perf_counter(), sum(os.times()[:4])
    run()
    return time.perf_counter() - start, sum(os.times()[:4]) - cpu_start
