"""Progress: lines for a log file, a bar for a terminal."""

import importlib.util
import io
import sys

import pytest

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.progress_bar import PlainProgress, duration, has_terminal, watch_progress

GOOD, BAD = Prediction(), Prediction(error="broken")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def lines_of(seconds, *, total, done=0):
    """Numbers of videos after which a line is printed, where the n-th is predicted at seconds[n]."""
    clock, told = [0.0], io.StringIO()
    progress = PlainProgress(total=total, done=done, clock=lambda: clock[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", told)
        for clock[0] in seconds:
            progress.report(GOOD)
    return [int(line.split(" of ")[0]) for line in told.getvalue().splitlines()]


def test_a_line_for_each_tenth_and_each_half_minute():
    assert lines_of([2.0 * n for n in range(1, 31)], total=30) == list(range(3, 30, 3))
    assert lines_of([20.0 * n for n in range(1, 12)], total=1000) == [2, 4, 6, 8, 10]
    assert lines_of([0.1 * n for n in range(1, 31)], total=30) == [10, 20]  # not more than one a second
    assert lines_of([2.0], total=10, done=9) == []  # the summary follows


def test_the_line_has_speed_and_time_left_of_this_run(capsys):
    clock = [100.0]
    progress = PlainProgress(total=40, done=20, clock=lambda: clock[0])
    for clock[0], prediction in ((101.0, GOOD), (102.0, BAD), (103.0, GOOD), (104.0, GOOD)):
        progress.report(prediction)
    assert capsys.readouterr().err == "24 of 40 videos, 1 videos/s, 16 s left, 1 could not be read\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (45.4, "45 s"), (99.4, "99 s"), (99.6, "2 min"), (720, "12 min"), (12_000, "3 h 20 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_where_a_run_goes_on_is_told(capsys):
    with watch_progress(total=5, done=2) as report:
        report(GOOD)
    assert capsys.readouterr().err == "2 of 5 videos are predicted already; going on with the others\n"


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with watch_progress(total=5, done=0) as report:
        report(GOOD)
    assert report.__self__.total == 5  # of PlainProgress
    assert capsys.readouterr().err == ""


def test_what_a_terminal_is(monkeypatch):
    assert has_terminal(Terminal())
    assert not has_terminal(io.StringIO())
    assert not has_terminal(None)
    monkeypatch.setenv("TERM", "dumb")
    assert not has_terminal(Terminal())


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch_progress(total=7, done=0) as report:
        for prediction in (GOOD, BAD, GOOD):
            report(prediction)
    last = terminal.getvalue().splitlines()[-2]  # the cursor comes back behind it
    assert "3/7" in last
    assert "videos/s" in last
    assert "1 could not be read" in last
