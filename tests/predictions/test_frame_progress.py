import itertools
import re

import pytest

from stvit_video.predictions import frame_progress as module
from stvit_video.predictions.frame_progress import frame_progress


@pytest.fixture
def clock(monkeypatch):
    """Four seconds pass between any two looks."""
    ticks = itertools.count(0, 4)
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(ticks)))


def test_a_file_gets_a_line_now_and_then(clock, capsys):
    with frame_progress("a.mp4") as report:
        for _ in range(6):
            report(8)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["a.mp4: 24 frames, 2 frames/s", "a.mp4: 48 frames, 2 frames/s"]


def test_a_terminal_has_one_line_that_changes(clock, capsys, monkeypatch):
    monkeypatch.setattr(module, "has_terminal", lambda _: True)
    with frame_progress("a.mp4") as report:
        report(4)
        report(8)
    shown = capsys.readouterr().err
    assert re.split(r"[\r\n]", shown) == ["", "a.mp4: 4 frames, 1 frames/s", "a.mp4: 12 frames, 1.5 frames/s", ""]
