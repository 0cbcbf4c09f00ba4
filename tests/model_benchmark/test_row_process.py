"""Processes of rows: a real one that answers, one that is killed, one that can't start."""

import os
import signal

import pytest
from row_services import tiny_row

from stvit_video.model_benchmark import row_process
from stvit_video.model_benchmark.row_process import RowError, RowProcess


@pytest.fixture
def process():
    started = RowProcess(1)
    yield started
    started.end()


def test_a_fresh_process_answers_and_its_end_is_told(process):
    answer = process.ask({"do": "describe", "row": tiny_row().to_message()})
    assert answer["tokens"] == [15]
    with pytest.raises(RowError, match="depth") as caught:
        process.ask({"do": "describe", "row": tiny_row(depth=0).to_message()})
    assert caught.value.kind == "failed"
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(RowError, match="killed its process") as caught:
        process.ask({"do": "describe", "row": tiny_row().to_message()})
    assert caught.value.kind == "memory"


@pytest.mark.parametrize(
    ("boot", "told"),
    [
        ("import sys; print('some words', file=sys.stderr); sys.exit('no luck')", "status 1: no luck"),
        ("raise SystemExit(3)", "status 3: it said nothing"),
        ("import os; os.abort()", "signal 6: it said nothing"),
    ],
)
def test_a_process_that_does_not_answer(monkeypatch, boot, told):
    monkeypatch.setattr(row_process, "_BOOT", boot)
    process = RowProcess(1)
    with pytest.raises(RowError, match=told) as caught:
        process.ask({"do": "describe"})
    assert caught.value.kind == "failed"
    process.end()
    process.end()


def test_its_threads_and_the_path_of_modules(monkeypatch, process):
    boot = (
        "import json, os, sys; sys.stdin.readline(); print(json.dumps([sys.argv[1], json.loads(sys.argv[2]) != [], "
        "os.environ['OMP_NUM_THREADS'], os.environ['HF_HUB_OFFLINE']]))"
    )
    monkeypatch.setattr(row_process, "_BOOT", boot)
    other = RowProcess(3)
    assert other.ask({}) == ["3", True, "3", "1"]
    other.end()
