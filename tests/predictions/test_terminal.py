"""Predictions in a terminal, and in a pipe."""

import importlib.util
import io
import re
import sys

import pytest

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.predictions.terminal import TerminalTable, printable, show_predictions

CLASSES = ("[bold]run[/bold]", "jump", "a very long label that would take the whole width of any terminal there is")
VIDEOS = [ListedVideo(name, name) for name in ("a.mp4", "folder/of a long name/b.mp4", "bad\x1b[2J.mp4")]
ROWS = [
    (VIDEOS[0], Prediction(labels=CLASSES, probabilities=(0.5, 0.3, 0.2))),
    (VIDEOS[1], Prediction()),
    (VIDEOS[2], Prediction(error="can't decode it, for a reason that is told in a long sentence with many words")),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, *, columns=100):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    num_failed = show_predictions(ROWS, videos=VIDEOS, classes=CLASSES)
    assert num_failed == 1
    text = terminal.getvalue()
    assert "\x1b[2J" not in text  # the name can't clear the screen
    return [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()]


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert re.match(r"  \d\.\d{4}  ", shown(monkeypatch)[1])


def test_a_table_with_a_row_a_video(monkeypatch):
    lines = shown(monkeypatch)
    assert lines[0].split() == ["video", "label", "probability", "others"]
    column = lines[0].index("label")
    assert lines[1][:column].strip() == "a.mp4"
    assert lines[1][column:].startswith("[bold]run[/bold]")  # no markup
    assert "0.5000" in lines[1]
    assert "jump 0.30" in lines[1]
    assert lines[2][column:] == "none"  # no label reaches the threshold
    assert lines[3][: column - 2].strip() == "bad\\x1b[2J.mp4"
    assert lines[3][column:].startswith("can't decode it")
    assert " ".join(line[column:].strip() for line in lines[3:]).endswith("many words")


@pytest.mark.parametrize("columns", [20, 50, 200])
def test_no_line_is_wider_than_the_terminal(monkeypatch, columns):
    lines = shown(monkeypatch, columns=max(columns, 20))
    assert all(len(line) <= max(columns, 45) for line in lines)


def test_rows_come_one_by_one(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    table = TerminalTable(names=["a.mp4", "b.mp4"], labels=["run"])
    table.show(ListedVideo("a.mp4", "a.mp4"), Prediction(labels=("run",), probabilities=(1.0,)))
    first = terminal.getvalue()
    assert "a.mp4" in first
    table.show(ListedVideo("b.mp4", "b.mp4"), Prediction(labels=("run",), probabilities=(1.0,)))
    assert "video" not in terminal.getvalue()[len(first) :]


def test_a_pipe_gets_names_and_labels_and_errors_apart(capsys):
    segment = (ListedVideo("s.mp4", "s.mp4", 1.0, 2.0), Prediction(labels=("jump",), probabilities=(0.25,)))
    assert show_predictions([*ROWS, segment], videos=VIDEOS, classes=CLASSES) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "a.mp4",
        "  0.5000  [bold]run[/bold]",
        "  0.3000  jump",
        f"  0.2000  {CLASSES[2]}",
        "folder/of a long name/b.mp4",
        "s.mp4#t=1,2",
        "  0.2500  jump",
    ]
    assert told.err.startswith("error: can't decode it")


def test_signs_that_move_the_cursor_become_escapes():
    assert printable("caf\u00e9 run") == "caf\u00e9 run"
    assert printable("a\nb\x1b[1m\u202e") == "a\\nb\\x1b[1m\\u202e"
