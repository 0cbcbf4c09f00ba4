"""Progress: lines in a log, a bar on a terminal."""

import io
import sys

from stvit_video.model_benchmark.turn_progress import watch_turns


def test_lines_in_a_log(capsys):
    with watch_turns(num_steps=2) as tell:
        tell("counting a")
        tell("round 1")
    assert capsys.readouterr().err == "counting a\nround 1\n"


def test_a_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch_turns(num_steps=3) as tell:
        for text in ("counting a", "counting b", "round 1"):
            tell(text)
    shown = terminal.getvalue()
    assert "counting a" in shown
    assert "round 1:  67%" in shown
    assert "2/3" in shown
