"""speed.json of a bundle: how quick its graph is beside eager PyTorch, turn by turn in one process."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from stvit_video.bundles.runtimes import Graph
from stvit_video.utils.processor import cpu_flags, processor_name
from stvit_video.utils.provenance import load_average, provenance

EAGER = "PyTorch eager"
CPU_SECONDS = 0.7  # of all passes with one number of threads
WALL_SECONDS = 2.0  # likewise, on a machine that others use

Pass = Callable[[], object]


def measure_bundle_speed(
    open_with: Callable[[int], Graph], module: nn.Module, frames: np.ndarray, *, cpu_seconds: float = CPU_SECONDS
) -> dict[str, Any]:
    """Time a graph and PyTorch in fp32 on a single clip, with 1 thread and with all.

    Args:
        open_with: the graph with a number of CPU threads.
        module: what it was made of, in eval mode.
        frames: (1, T, H, W, 3) uint8.
        cpu_seconds: that the turns may take with each number of threads; there is one in any case.

    Returns:
        "rows" with "threads", "way", "cpu_seconds" of the quickest pass by CPU time, and "clips_per_second" of the
        quickest by wall time; and where, when and by what it was measured. "is_reliable" is False where more processes
        ran than there are cores.
    """
    rows, load, num_cores = [], load_average(), os.cpu_count() or 1
    for threads in sorted({1, num_cores}):
        graph = open_with(threads)
        with torch_threads(threads):
            ways: dict[str, Pass] = {graph.runtime: partial(graph, frames), EAGER: _eager_pass(module, frames)}
            rows += [{"threads": threads, **row} for row in time_in_turns(ways, cpu_seconds=cpu_seconds)]
    facts = provenance(torch.device("cpu"))
    return {
        "rows": rows,
        "clip": list(frames.shape),
        **facts,
        "hardware": processor_name(),
        "num_cores": num_cores,
        "cpu_flags": cpu_flags(),
        "load": load,
        "is_reliable": load is None or load <= num_cores,
    }


def time_in_turns(
    ways: Mapping[str, Pass],
    *,
    cpu_seconds: float,
    cpu_clock: Callable[[], float] = time.process_time,
    wall_clock: Callable[[], float] = time.perf_counter,
) -> list[dict[str, Any]]:
    """Run each way in turn, A B A B, so that a busy moment falls on all of them; the first turn is not counted.

    Args:
        ways: a pass of each.
        cpu_seconds: after which no turn begins, nor after `WALL_SECONDS`; one counts in any case.
        cpu_clock: seconds of CPU time of this process, all of its threads.
        wall_clock: seconds.

    Returns:
        "way", "cpu_seconds" and "clips_per_second" of each, see `measure_bundle_speed`.
    """
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    wall: dict[str, list[float]] = {way: [] for way in ways}
    start, turns = (cpu_clock(), wall_clock()), 0
    while turns < 2 or (cpu_clock() - start[0] < cpu_seconds and wall_clock() - start[1] < WALL_SECONDS):
        for way, run in ways.items():
            before = cpu_clock(), wall_clock()
            run()
            cpu[way].append(cpu_clock() - before[0])
            wall[way].append(wall_clock() - before[1])
        turns += 1
    return [
        {"way": way, "cpu_seconds": min(cpu[way][1:]), "clips_per_second": 1 / max(min(wall[way][1:]), 1e-9)}
        for way in ways
    ]


def speed_lines(speed: Mapping[str, Any]) -> list[str]:
    """A line for each number of threads, of what `measure_bundle_speed` gives; one more where it is not reliable."""
    rows = speed["rows"]
    lines = []
    for threads in sorted({row["threads"] for row in rows}):
        ways = [
            f"{row['way']} {1e3 * row['cpu_seconds']:.1f} ms of CPU time, {row['clips_per_second']:.1f} clips/s"
            for row in rows
            if row["threads"] == threads
        ]
        lines.append(f"{threads} thread{'s' * (threads > 1)}: {'; '.join(ways)}")
    if not speed.get("is_reliable", True):
        lines.append(f"measured while {speed['load']:.1f} processes ran on {speed['num_cores']} cores: not reliable")
    return lines


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Within, torch computes with that many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _eager_pass(module: nn.Module, frames: np.ndarray) -> Pass:
    clip = torch.from_numpy(frames)

    def run() -> torch.Tensor:
        with torch.inference_mode():
            return module(clip)

    return run
