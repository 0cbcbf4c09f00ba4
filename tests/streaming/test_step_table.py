"""steps.csv: what is written is read back, whatever the labels are, and a row that was cut short is left out."""

import csv
import io
from dataclasses import dataclass

import numpy as np
import pytest

from stvit_video.streaming.events import EventRules, decide
from stvit_video.streaming.step_table import StepTable, StoredStep, read_steps

CLASSES = ("a, comma", 'quo"te', "line\nbreak", "p:odd", "no\u2028break")


@dataclass(frozen=True)
class FakeStep:
    seconds: float
    probabilities: np.ndarray
    window: tuple[float, float] = (0.5, 2.0)
    latency_seconds: float = 0.0123456
    dropped: int = 3
    note: str = ""


def steps_of(count, *, num_classes=5, seed=0):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(num_classes), size=count).astype(np.float32)
    return [
        FakeStep(0.2 * n, row, window=(0.2 * n - 1.5, 0.2 * n), note="5 s, missing" if n == 2 else "")
        for n, row in enumerate(shares)
    ]


def write(file, table, steps, **more):
    file.write_text(table.header() + "".join(table.line(step, **more) for step in steps), encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize("path", [None, "a, b.mp4"])
def test_what_is_written_is_read_back(tmp_path, path):
    steps = steps_of(7)
    table = StepTable(CLASSES, has_paths=path is not None)
    file = write(tmp_path / "steps.csv", table, steps, **({"path": path} if path else {}))
    classes, found = read_steps(str(file))
    assert classes == CLASSES
    assert len(found) == 7
    for one, step in zip(found, steps, strict=True):
        assert one.seconds == pytest.approx(step.seconds, abs=1e-6)
        assert one.window == pytest.approx(step.window, abs=1e-6)
        np.testing.assert_array_equal(one.probabilities, step.probabilities)  # to the last bit
        assert one.latency_seconds == pytest.approx(0.012346, abs=1e-9)
        assert (one.dropped, one.note, one.path) == (3, step.note, path)


def test_the_columns_for_a_reader_that_knows_csv_alone(tmp_path):
    step = FakeStep(12.25, np.array([0.125, 0.625, 0.25], np.float32), window=(10.5, 12.25), dropped=0)
    table = StepTable(("run", "jump", "fall"))
    (row,) = csv.DictReader(io.StringIO(table.header() + table.line(step)))
    assert row == {
        "seconds": "12.25", "window_start_seconds": "10.5", "label": "jump", "probability": "0.625",
        "latency_ms": "12.346", "dropped": "0", "note": "", "p:run": "0.125", "p:jump": "0.625", "p:fall": "0.25",
    }  # fmt: skip


def test_events_of_stored_steps_are_those_of_the_stream(tmp_path):
    steps = steps_of(60, num_classes=3, seed=4)
    rules = EventRules(smoothing_seconds=0.5, enter=0.5, leave=0.3, min_seconds=0.2)
    classes, found = read_steps(write(tmp_path / "steps.csv", StepTable(("a", "b", "c")), steps))
    online, offline = (list(decide(some, classes=classes, rules=rules)) for some in (steps, found))
    assert len(online) >= 4
    assert [event.label for event in offline] == [event.label for event in online]
    for name in ("start_seconds", "decided_seconds", "probability"):
        np.testing.assert_allclose([getattr(e, name) for e in offline], [getattr(e, name) for e in online], atol=1e-6)


def test_a_row_that_was_cut_short_is_left_out(tmp_path):
    file = write(tmp_path / "steps.csv", StepTable(CLASSES), steps_of(4))
    whole = file.read_bytes()
    header = len(StepTable(CLASSES).header().encode())
    counts = set()
    for size in range(header, len(whole) + 1):
        file.write_bytes(whole[:size])
        counts.add((whole[:size].endswith(b"\n"), len(read_steps(file)[1])))
    assert counts == {(True, n) for n in range(5)} | {(False, n) for n in range(4)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "columns of an empty file.* seconds, .*steps.csv"),
        ("path,label\na.mp4,run\n", "columns path, label, and steps have seconds,"),
        (StepTable(("a", "b")).header() + "1,0,a,0.5,3,0,\n", "row 2 .*7 values.* must have 9 values"),
        (StepTable(("a",)).header() + "1,0,a,1,3,0,,1\n2,0,a,x,3,0,,soon\n", "row 3 .*soon"),
        (StepTable(()).header() + "1,0,a,1,3,0,\n", "one for each class"),
    ],
)
def test_a_file_that_is_no_table_of_steps(tmp_path, text, told):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        read_steps(tmp_path / "x.csv")


def test_stored_steps_have_what_a_row_needs():
    step = StoredStep(seconds=1.0, window=(0.0, 1.0), probabilities=np.ones(1), latency_seconds=0, dropped=0, note="")
    assert StepTable(("a",)).line(step).startswith("1.0,0.0,a,1.0,")
