"""Turns by clocks that the test moves, and a real graph."""

import os

import numpy as np
import pytest
import torch
from torch import nn

from stvit_video.exporting import bundle_speed as module
from stvit_video.exporting.bundle_speed import EAGER, measure_bundle_speed, speed_lines, time_in_turns, torch_threads


class Clock:
    """Seconds that pass when a way is run."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def turns_of(cpu_costs, wall_costs, *, cpu_seconds):
    """Run two ways whose passes cost this much, one after the other; the rows and the order of the passes."""
    cpu, wall, seen = Clock(), Clock(), []

    def run(way):
        cpu.now += cpu_costs[way].pop(0)
        wall.now += wall_costs[way].pop(0)
        seen.append(way)

    ways = {way: lambda way=way: run(way) for way in cpu_costs}
    return time_in_turns(ways, cpu_seconds=cpu_seconds, cpu_clock=cpu, wall_clock=wall), "".join(seen)


def test_ways_take_turns_and_the_first_does_not_count():
    rows, order = turns_of(
        {"a": [0.01, 0.5, 0.3, 9], "b": [0.01, 0.2, 0.4, 9]}, {"a": [1e-3, 0.4, 0.5, 9], "b": [1e-3, 0.1, 0.3, 9]},
        cpu_seconds=1.0,
    )  # fmt: skip
    assert order == "ababab"
    assert rows[0] == {"way": "a", "cpu_seconds": pytest.approx(0.3), "clips_per_second": pytest.approx(2.5)}
    assert rows[1] == {"way": "b", "cpu_seconds": pytest.approx(0.2), "clips_per_second": pytest.approx(10)}


def test_a_slow_way_has_one_turn_that_counts_and_a_busy_machine_ends_it():
    _, order = turns_of({"a": [5.0, 5.0]}, {"a": [5.0, 5.0]}, cpu_seconds=1.0)
    assert order == "aa"
    _, order = turns_of({"a": [0.01] * 9}, {"a": [0.9] * 9}, cpu_seconds=1.0)
    assert order == "aaa"


class EagerGraph:
    """A graph that notes its clips."""

    runtime = "a runtime 1.2"

    def __call__(self, frames):
        assert frames.shape == (1, 2, 5, 5, 3)
        return frames.reshape(1, -1)[:, :3].astype(np.float32)


class Sums(nn.Module):
    def forward(self, frames):
        return frames.float().sum((1, 2, 3))


@pytest.mark.parametrize(("load", "is_reliable"), [(0.0, True), (99_999.0, False), (None, True)])
def test_both_are_measured_with_one_thread_and_with_all(monkeypatch, load, is_reliable):
    monkeypatch.setattr(module, "load_average", lambda: load)
    opened = []
    frames = np.zeros((1, 2, 5, 5, 3), dtype=np.uint8)
    before = torch.get_num_threads()
    found = measure_bundle_speed(
        lambda threads: opened.append(threads) or EagerGraph(), Sums(), frames, cpu_seconds=0.0
    )
    assert torch.get_num_threads() == before
    threads = sorted({1, os.cpu_count()})
    assert opened == threads
    assert [(row["threads"], row["way"]) for row in found["rows"]] == [
        (number, way) for number in threads for way in ("a runtime 1.2", EAGER)
    ]
    assert {"commit", "date", "versions", "hardware", "cpu_flags", "num_cores"} <= set(found)
    assert found["clip"] == [1, 2, 5, 5, 3]
    assert (found["load"], found["is_reliable"]) == (load, is_reliable)


def test_lines_and_threads():
    rows = [
        {"threads": number, "way": way, "cpu_seconds": 0.0123, "clips_per_second": 45.67}
        for number in (1, 2)
        for way in ("x 1", EAGER)
    ]
    first, second = speed_lines({"rows": rows})
    assert first == ("1 thread: x 1 12.3 ms of CPU time, 45.7 clips/s; PyTorch eager 12.3 ms of CPU time, 45.7 clips/s")
    assert second.startswith("2 threads: ")
    *_, last = speed_lines({"rows": rows, "is_reliable": False, "load": 5.44, "num_cores": 2})
    assert last == "measured while 5.4 processes ran on 2 cores: not reliable"
    before = torch.get_num_threads()
    with torch_threads(3):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before
