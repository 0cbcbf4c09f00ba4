"""Following a stream: lines as they come, and files that are whole however and whenever it is stopped."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from made_steps import made_run, made_steps

from stvit_video.data.decoding.request import DecodeError
from stvit_video.predictions.stopping import Terminated
from stvit_video.streaming import stream_files
from stvit_video.streaming.event_tracks import read_event_records
from stvit_video.streaming.events import EventRules, decide
from stvit_video.streaming.step_table import read_steps
from stvit_video.streaming.stream_output import follow_stream

CLASSES = ("fall", "stand")
RULES = EventRules(smoothing_seconds=0.0, min_seconds=0.25)
SEEN = [0.1, 0.9, 0.9, 0.8, 0.2, 0.1, 0.7, 0.9, 0.9]  # fall
STEPS = made_steps(np.stack([SEEN, np.full(9, 0.05)], axis=1), notes={5: "begun anew"})
WHOLE = ["events.jsonl", "events.vtt", "steps.csv", "stream.json", "timeline.png"]
TRACED = ("stream_output.py", "stream_files.py", "step_table.py", "event_tracks.py", "events.py", "disk_writes.py")


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr(stream_files, "save_timeline", lambda path, *rest, **more: path.write_bytes(b"png"))


def follow(out, *, steps=STEPS, end_by=None, **more):
    run, closed = made_run(steps, end_by=end_by)
    try:
        follow_stream(run, classes=CLASSES, rules=RULES, out=out, **more)
    except BaseException:
        assert closed or run.summary.num_steps == 0
        raise
    assert closed


def test_lines_and_files(tmp_path, capsys):
    follow(tmp_path / "out", made_with={"checkpoint": "abc"})
    told = capsys.readouterr()
    assert told.out.splitlines()[:4] == [
        "0:01.5  fall: since 0:01.2, probability 0.90",
        "0:02.0  fall: over after 0.8 s, probability 0.90",
        "0:02.8  fall: since 0:02.5, probability 0.90",
        "0:03.0  fall: over after 0.5 s, probability 0.90",
    ]
    assert told.out.splitlines()[4] == "9 steps in 0:03.0 of yard.mp4 at 16 frames a second, 2 events"
    assert told.out.splitlines()[-1].endswith(f"stream.json are in {tmp_path / 'out'}")
    assert told.err == "0:01.2  note: begun anew: begun anew\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == WHOLE
    classes, steps = read_steps(tmp_path / "out" / "steps.csv")
    offline = {one.start_seconds: one.end_seconds for one in decide(steps, classes=classes, rules=RULES)}
    records = read_event_records(tmp_path / "out" / "events.jsonl")
    assert {one["start_seconds"]: one["end_seconds"] for one in records} == offline
    report = json.loads((tmp_path / "out" / "stream.json").read_text())
    assert (report["num_steps"], report["num_events"], report["made_with"]) == (9, 2, {"checkpoint": "abc"})


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    follow(None)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out.splitlines()[-1].endswith("2 of 80 frames dropped")


def test_notes_of_the_source_are_told_with_the_time(tmp_path, capsys):
    run, _ = made_run(STEPS)
    follow_stream(run, classes=CLASSES, rules=RULES)
    run.summary.source_seconds = 65.5
    run.summary.add_note("frames are repeated")
    assert capsys.readouterr().err.splitlines()[-1] == "1:05.5  note: frames are repeated"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (EventRules(smoothing_seconds=0.0, enter=0.95), "0.9 (fall at 0:03.0), below enter=0.95"),
        (EventRules(smoothing_seconds=0.0, min_seconds=9.0), "which lasted shorter than min_seconds=9"),
    ],
)
def test_why_there_was_no_event(capsys, rules, told):
    run, _ = made_run(STEPS)
    follow_stream(run, classes=CLASSES, rules=rules)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("no event: the highest smoothed probability is 0.9 ")
    assert told in last


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated(), DecodeError("camera 0 sent nothing for 10 s")])
def test_what_was_seen_until_it_stopped_is_whole(tmp_path, capsys, error):
    with pytest.raises(type(error)):
        follow(tmp_path / "out", steps=STEPS[:3], end_by=error)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == WHOLE
    assert "00:00:01.250 --> 00:00:01.500\nfall" in (tmp_path / "out" / "events.vtt").read_text()
    told = capsys.readouterr()
    assert "3 steps in 0:01.5" in told.out
    assert told.err == (
        "" if isinstance(error, DecodeError) else f"stopped; the files in {tmp_path / 'out'} are completed\n"
    )


def test_a_stream_without_a_step_leaves_an_empty_folder(tmp_path, capsys):
    for _ in range(2):
        with pytest.raises(DecodeError, match="too short"):
            follow(tmp_path / "out", steps=[], end_by=DecodeError("too short"))
    assert list((tmp_path / "out").iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_a_folder_of_another_stream_is_refused_before_anything_is_read(tmp_path):
    follow(tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    run, _ = made_run(STEPS)
    with pytest.raises(ValueError, match="is there already"):
        follow_stream(run, classes=CLASSES, rules=RULES, out=tmp_path / "out")
    assert list(run) == []  # it is closed
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


class Interrupt:
    """Raises KeyboardInterrupt before the given line of our code that is run, counted over all of its files."""

    def __init__(self, number):
        self.left = number

    def __call__(self, frame, event, arg):
        if Path(frame.f_code.co_filename).name not in TRACED:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def test_ctrl_c_before_any_line_of_ours_leaves_whole_files(tmp_path):
    number, num_finished, before = 0, 0, sys.gettrace()
    while True:
        number += 37
        out, interrupt = tmp_path / str(number), Interrupt(number)
        try:
            sys.settrace(interrupt)
            follow(out)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        if interrupt.left > 0:
            break
        names = {path.name for path in out.iterdir()} if out.exists() else set()
        if "steps.csv" in names and (out / "steps.csv").stat().st_size:
            assert (out / "steps.csv").read_bytes().endswith(b"\n")
            found = read_steps(out / "steps.csv")[1]
            assert [one.seconds for one in found] == [step.seconds for step in STEPS[: len(found)]]
        if "events.jsonl" in names and (out / "events.jsonl").stat().st_size:
            assert (out / "events.jsonl").read_bytes().endswith(b"\n")
            assert read_event_records(out / "events.jsonl")[0]["label"] == "fall"
        if "events.vtt" in names:
            assert (out / "events.vtt").read_text().startswith("WEBVTT\n")
        if "stream.json" in names:
            assert json.loads((out / "stream.json").read_text())["source"] == "yard.mp4"
        num_finished += names == set(WHOLE)
        assert not [name for name in names if name.endswith(".part")]
    assert number > 400
    assert num_finished > number / 37 / 2  # but for those that come while the end is written
