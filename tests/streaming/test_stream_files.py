"""The folder of a stream: it grows by whole lines, is finished at the end, and is never written over."""

import errno
import json
import logging

import numpy as np
import pytest
from made_steps import made_steps

from stvit_video.streaming import stream_files
from stvit_video.streaming.event_tracks import read_event_records
from stvit_video.streaming.events import Event, EventRules
from stvit_video.streaming.step_table import read_steps
from stvit_video.streaming.stream_files import StreamFiles
from stvit_video.utils.atomic_files import DiskFullError

CLASSES = ("fall", "none")
ALL = ["steps.csv", "events.jsonl", "events.vtt", "timeline.png", "stream.json"]
STEPS = made_steps(np.linspace([0.1, 0.9], [0.8, 0.2], 9), notes={5: "a gap of 3 s"})


@pytest.fixture
def no_picture(monkeypatch):
    monkeypatch.setattr(stream_files, "save_timeline", lambda path, *rest, **more: path.write_bytes(b"png"))


def test_files_grow_by_a_line_at_a_time(tmp_path, no_picture):
    with StreamFiles(tmp_path / "a" / "b", classes=CLASSES, rules=EventRules()) as files:
        steps, events = tmp_path / "a" / "b" / "steps.csv", tmp_path / "a" / "b" / "events.jsonl"
        assert read_steps(steps) == (CLASSES, [])
        for number, step in enumerate(STEPS, start=1):
            files.add_step(step)  # on the disk as soon as it is added: a kill costs nothing of it
            found = read_steps(steps)[1]
            assert len(found) == number
            np.testing.assert_array_equal(found[-1].probabilities, step.probabilities)
        for end in (None, 2.5):
            files.add_event(Event("fall", 2.0, end, 2.25, 0.7))
            assert [one["end_seconds"] for one in read_event_records(events)] == [end]
        files.add_event(Event("fall", 2.75, None, 3.0, 0.75))
        assert files.finish({"a": float("nan"), "b": [1, {"c": float("inf")}], "d": 0.5}) == ALL
    assert [one["event"] for one in read_event_records(events)] == [1, 2]
    assert json.loads((steps.parent / "stream.json").read_text()) == {"a": None, "b": [1, {"c": None}], "d": 0.5}
    track = (steps.parent / "events.vtt").read_text()
    assert track.count("-->") == 2
    assert "00:00:02.750 --> 00:00:03.000\nfall" in track  # it went on, until the newest step
    assert sorted(path.name for path in steps.parent.iterdir()) == sorted(ALL)


def test_the_picture_has_the_smoothed_probabilities(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(stream_files, "save_timeline", lambda path, bins, *rest, **more: drawn.append(bins))
    with StreamFiles(tmp_path / "x", classes=CLASSES, rules=EventRules(smoothing_seconds=0.6)) as files:
        for step in STEPS:
            files.add_step(step)
        files.finish({})
    shares = np.array([step.probabilities for step in STEPS])
    expected = [  # three steps fit in 0.6 s; the gap before the fifth begins anew
        shares[max(0 if n < 5 else 5, n - 2) : n + 1].mean(axis=0) for n in range(len(STEPS))
    ]
    _, peaks = drawn[0].peaks()
    np.testing.assert_allclose(peaks[~np.isnan(peaks[:, 0])], expected, rtol=1e-6)


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "steps.csv").write_text("mine")
    for out in (tmp_path / "x", tmp_path / "x" / "steps.csv"):
        with pytest.raises(ValueError, match=f"{out} is there already; .*out=FOLDER"):
            StreamFiles(out, classes=CLASSES, rules=EventRules())
    assert (tmp_path / "x" / "steps.csv").read_text() == "mine"


def test_without_matplotlib_the_picture_is_left_out_and_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with (
        caplog.at_level(logging.WARNING),
        StreamFiles(tmp_path / "x", classes=CLASSES, rules=EventRules()) as files,
    ):
        files.add_step(STEPS[0])
        assert files.finish({}) == [name for name in ALL if name != "timeline.png"]
    assert "timeline.png could not be drawn" in caplog.text
    assert "pip install matplotlib" in caplog.text
    assert not (tmp_path / "x" / "timeline.png").exists()


def test_a_full_disk_is_told_in_words(tmp_path, monkeypatch):
    def full(file, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with StreamFiles(tmp_path / "x", classes=CLASSES, rules=EventRules()) as files:
        files.add_step(STEPS[0])
        monkeypatch.setattr(stream_files, "write_all", full)
        with pytest.raises(DiskFullError, match=r"steps\.csv can't be written, .*kept in .*another out="):
            files.add_step(STEPS[1])
    assert len(read_steps(tmp_path / "x" / "steps.csv")[1]) == 1
