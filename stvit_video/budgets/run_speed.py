"""How quick settings are on this machine: all of them in turn, several times over, and the fastest of each counts."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from stvit_video.budgets.memory import in_halves
from stvit_video.inference.run_settings import RunSettings, run_with
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.inference.trained_model import TrainedModel

ROUNDS = 5
LEAST_SECONDS = 3.0  # of rounds: small models are done with all of them while the machine is busy otherwise


class Speed(NamedTuple):
    """Of the model alone, without decoding.

    Attributes:
        clips_per_second: videos a second, all views of each, as many videos together as fill a call of the model.
        latency_ms: milliseconds for a video alone, all its views.
        views_at_once: most views in a call of the model: fewer than wished where more did not fit into memory.
    """

    clips_per_second: float
    latency_ms: float
    views_at_once: int


def measure_speeds(
    trained: TrainedModel,
    settings: Sequence[RunSettings],
    *,
    views_at_once: Sequence[int] | None = None,
    rounds: int = ROUNDS,
    least_seconds: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Speed]:
    """Measure all settings turn by turn (A B C A B C); other work on the machine can only slow a round down.

    Args:
        trained: the checkpoint.
        settings: that it can run with.
        views_at_once: of each setting, most views in a call of the model; None = as in predict.
        rounds: that count, at least; one more comes first.
        least_seconds: more rounds follow until so much time is over.
        clock: gives seconds.

    Raises:
        ValueError: no rounds.
        NoMemoryError: not even one view fits into memory.
    """
    if rounds < 1:
        raise ValueError(f"rounds={rounds} must be at least 1")
    wished = [MAX_VIEWS_PER_FORWARD] * len(settings) if views_at_once is None else views_at_once
    limits = [_fitting(trained, one, limit) for one, limit in zip(settings, wished, strict=True)]
    turns: list[list[Speed]] = []
    start = clock()
    while len(turns) <= rounds or clock() - start < least_seconds:
        turns.append([_measure(trained, one, limit, clock) for one, limit in zip(settings, limits, strict=True)])
    return [
        Speed(max(own.clips_per_second for own in column), min(own.latency_ms for own in column), limit)
        for limit, *column in zip(limits, *turns[1:], strict=True)
    ]


def _fitting(trained: TrainedModel, one: RunSettings, limit: int) -> int:
    """How many views fit into memory at once, up to a limit."""
    run = run_with(trained, one)
    with torch.inference_mode():
        views = torch.zeros(limit, *one.view_size)
        return in_halves(lambda part: run.model(part.to(run.device)), views, at_once=limit)[1]


def _measure(trained: TrainedModel, one: RunSettings, limit: int, clock: Callable[[], float]) -> Speed:
    run = run_with(trained, one)
    alone = _seconds(run, torch.zeros(one.num_views, *one.view_size, device=run.device), limit, clock)
    num_videos = max(1, limit // one.num_views)
    if num_videos == 1:
        return Speed(1 / alone, 1e3 * alone, limit)
    together = _seconds(run, torch.zeros(num_videos * one.num_views, *one.view_size, device=run.device), limit, clock)
    return Speed(num_videos / together, 1e3 * alone, limit)


@torch.inference_mode()
def _seconds(run: TrainedModel, views: Tensor, limit: int, clock: Callable[[], float]) -> float:
    """Seconds for all views, the device's queue empty before and after."""
    wait = torch.cuda.synchronize if run.device.type == "cuda" else _no_queue
    wait()
    start = clock()
    for part in views.split(limit):
        run.model(part)
    wait()
    return clock() - start


def _no_queue() -> None:
    """A CPU is done when the call is."""
