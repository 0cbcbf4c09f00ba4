"""Predictions into files: each video once, whatever ends the run, and nothing of another run is mixed in."""

import csv
import json

import numpy as np
import pytest
from made_predictions import MADE_WITH, Engine, no_watch, prediction_of, videos_of

from stvit_video.predictions.journal import Journal
from stvit_video.predictions.result_files import Targets
from stvit_video.predictions.to_files import Outcome, predict_to_files

VIDEOS = videos_of("e.mp4", "broken.mp4", "a, b.mp4", "c.mp4", "d\n.mp4")
NAMES = [video.name for video in VIDEOS]
ENDINGS = (".csv", ".jsonl", ".parquet")


def run(targets, engine=None, *, listed=VIDEOS, made_with=MADE_WITH, **settings):
    engine = Engine() if engine is None else engine
    outcome = predict_to_files(listed, engine, targets=targets, made_with=made_with, watch=no_watch, **settings)
    return outcome, engine.seen


@pytest.fixture(params=ENDINGS)
def targets(request, tmp_path):
    return Targets(tmp_path / "new" / f"labels{request.param}", tmp_path / "features.npz")


@pytest.fixture
def whole(tmp_path, targets):
    """The bytes of the labels of a run that nothing has ended."""
    other = Targets(tmp_path / f"whole{targets.out.suffix}", tmp_path / "whole.npz")
    run(other)
    return other.out.read_bytes()


def test_a_run_writes_all_and_the_same_command_does_nothing(targets, whole):
    assert run(targets) == (Outcome(5, 1, num_new=5), NAMES)
    assert targets.out.read_bytes() == whole
    with np.load(targets.features) as found:
        assert found["paths"].tolist() == NAMES
        assert np.isnan(found["features"][:, 0]).tolist() == [False, True, False, False, False]
    times = [path.stat().st_mtime_ns for path in targets.paths]
    assert run(targets) == (Outcome(5, 1, num_new=0, was_complete=True), [])
    assert [path.stat().st_mtime_ns for path in targets.paths] == times


@pytest.mark.parametrize("stop_after", [0, 1, 4])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), RuntimeError("a crash")])
def test_a_stopped_run_goes_on(targets, whole, stop_after, error):
    engine = Engine(stop_after=stop_after, error=error)
    with pytest.raises(type(error)):
        run(targets, engine)
    assert targets.journal.exists() == (stop_after > 0)  # a refused start leaves no journal
    assert not targets.features.exists()
    assert run(targets) == (Outcome(5, 1, num_new=5 - stop_after), NAMES[stop_after:])
    assert targets.out.read_bytes() == whole


def test_the_rows_can_be_read_while_the_run_goes_on(tmp_path):
    targets = Targets(tmp_path / "labels.csv")
    seen = []

    class Looking(Engine):
        def __call__(self, records):
            for prediction in super().__call__(records):
                if targets.out.exists():
                    seen.append([row["path"] for row in csv.DictReader(targets.out.open(newline=""))])
                yield prediction

    run(targets, Looking())
    assert seen == [NAMES[:1], NAMES[:2], NAMES[:3], NAMES[:4]]


def test_killed_at_any_byte(tmp_path):
    """kill -9 and power cuts: journal and table are cut anywhere, independently of one another."""
    first = Targets(tmp_path / "labels.csv")
    run(first)
    journal, table = first.journal.read_bytes(), first.out.read_bytes()
    head = journal.index(b"\n") + 1
    random = np.random.default_rng(3)
    for cut in random.integers(head, len(journal), 60):
        first.journal.write_bytes(journal[:cut])
        first.out.write_bytes(table[: random.integers(len(table) + 1)])
        done = journal[head:cut].count(b"\n")  # of which one may be the digest
        _, seen = run(first)
        assert seen == NAMES[done:]
        assert first.out.read_bytes() == table
        assert Journal.read(first.journal).missing() == []


def test_killed_before_the_files_are_finished(targets, whole):
    engine = Engine()
    run(targets, engine)
    content = targets.journal.read_bytes()
    targets.journal.write_bytes(content[: content.index(b'{"result_sha256"')])
    targets.features.unlink()
    if targets.out.suffix == ".parquet":
        targets.out.unlink()
    assert run(targets) == (Outcome(5, 1, num_new=0), [])
    assert targets.out.read_bytes() == whole


def test_a_result_that_is_gone_is_written_again_without_decoding(targets, whole):
    run(targets)
    targets.out.unlink()
    assert run(targets) == (Outcome(5, 1, num_new=0), [])
    assert targets.out.read_bytes() == whole


def test_errors_are_results_unless_they_are_to_be_tried_again(targets, monkeypatch):
    run(targets)
    assert run(targets)[1] == []
    monkeypatch.setattr("made_predictions.prediction_of", lambda path: prediction_of(str(path).replace("broken", "ok")))
    with pytest.raises(KeyboardInterrupt):
        run(targets, Engine(stop_after=0), retry_errors=True)
    assert run(targets) == (Outcome(5, 0, num_new=1), ["broken.mp4"])
    assert run(targets, retry_errors=True) == (Outcome(5, 0, num_new=0, was_complete=True), [])
    if targets.out.suffix == ".jsonl":  # in the place that it has in the list
        rows = [json.loads(line) for line in targets.out.read_text().splitlines()]
        assert [row["path"] for row in rows] == NAMES
        assert rows[1]["labels"][0] == "run"


def test_a_longer_list_is_refused_or_extends(targets, whole):
    run(targets, listed=VIDEOS[2:])
    with pytest.raises(ValueError, match=r"another list: 2 of the 5 videos are new \(first: e.mp4\); give extend=true"):
        run(targets)
    with pytest.raises(KeyboardInterrupt):
        run(targets, Engine(stop_after=1), extend=True)
    assert run(targets, extend=True) == (Outcome(5, 1, num_new=1), ["broken.mp4"])
    assert targets.out.read_bytes() == whole
    assert run(targets, extend=True)[0].was_complete


def test_an_unfinished_run_can_be_extended(targets, whole):
    with pytest.raises(KeyboardInterrupt):
        run(targets, Engine(stop_after=2), listed=VIDEOS[::2])
    assert run(targets, extend=True)[1] == ["broken.mp4", "c.mp4", "d\n.mp4"]
    assert targets.out.read_bytes() == whole


def test_the_order_of_the_list_does_not_matter(targets, whole):
    with pytest.raises(KeyboardInterrupt):
        run(targets, Engine(stop_after=2))
    assert run(targets, listed=VIDEOS[::-1])[1] == NAMES[2:]
    assert targets.out.read_bytes() == whole


@pytest.mark.parametrize("stop_after", [2, None])
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"made_with": MADE_WITH | {"num_clips": 1}}, "other settings: num_clips=5 then, 1 now; .*out=.*delete labels"),
        (
            {"made_with": MADE_WITH | {"checkpoint": "b" * 64}},
            "another checkpoint .digest aaaaaaaaaaaa then, bbbbbbbbbbbb",
        ),
        ({"listed": VIDEOS[1:]}, r"1 of its 5 videos are not named now \(first: e.mp4\), 0 are new"),
        ({"listed": videos_of(*NAMES, root="/elsewhere")}, "5 of its 5 videos are not named now .*5 are new"),
        ({"listed": VIDEOS[1:], "extend": True}, "1 of its 5 videos are not named now"),
    ],
)
def test_files_of_another_run_are_refused_and_left_as_they_are(targets, stop_after, change, rule):
    try:
        run(targets, Engine(stop_after=stop_after))
    except KeyboardInterrupt:
        assert stop_after
    before = {path: path.read_bytes() for path in targets.out.parent.iterdir()}
    engine = Engine()
    with pytest.raises(ValueError, match=rule):
        run(targets, engine, **change)
    assert engine.seen == []
    assert {path: path.read_bytes() for path in targets.out.parent.iterdir()} == before


def test_a_file_of_somebody_else_is_refused(targets):
    targets.out.parent.mkdir()
    targets.out.write_text("path,label\nmine.mp4,run\n")
    with pytest.raises(ValueError, match="is there already"):
        run(targets)
    assert targets.out.read_text() == "path,label\nmine.mp4,run\n"


def test_a_result_that_was_edited_is_not_written_over(targets):
    run(targets)
    targets.out.write_bytes(b"mine")
    with pytest.raises(ValueError, match="is not as it was written"):
        run(targets, retry_errors=True)
    assert targets.out.read_bytes() == b"mine"


def test_another_process_at_work_is_told(targets):
    with targets.locked(), pytest.raises(ValueError, match="another process is at work"):
        run(targets)


def test_features_alone(tmp_path):
    targets = Targets(features=tmp_path / "f.parquet")
    with pytest.raises(KeyboardInterrupt):
        run(targets, Engine(stop_after=3))
    assert run(targets) == (Outcome(5, 1, num_new=2), NAMES[3:])
    with pytest.raises(ValueError, match=r"give another features="):
        run(targets, listed=VIDEOS[1:])
