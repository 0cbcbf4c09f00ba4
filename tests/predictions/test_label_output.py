"""What labels videos is put between the command line and its files; the files themselves have tests of their own."""

import re
from pathlib import Path

import pytest

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.label_output import (
    FEW_VIDEOS,
    MOST_WORKERS,
    LabelSource,
    choose_num_workers,
    label_listed,
    label_targets,
    summary,
)
from stvit_video.predictions.result_files import Targets
from stvit_video.predictions.to_files import Outcome
from stvit_video.utils.command_line import Given


def given(*files: Path, **settings) -> Given:
    usual = {"out": None, "features": None, "extend": False, "retry_errors": False, "num_workers": None}
    return Given(files=tuple(map(str, files)), **{**usual, **settings})


def source(asked: list[int]) -> LabelSource:
    """Labels a video by its name; one of an odd name can't be read."""

    def predict(records, num_workers):
        asked.append(num_workers)
        for record in records:
            bad = {"error": f"{record.path}: odd"} if "odd" in record.path.name else {}
            yield Prediction(file=record.path, labels=() if bad else ("a",), probabilities=() if bad else (1.0,), **bad)

    values = {"top_k": 1, "threshold": None}
    return LabelSource(classes=("a", "b"), of_pictures=False, separator="|", made_with=lambda: values, predict=predict)


def test_a_few_videos_are_decoded_here_and_many_by_a_process_for_each_core():
    assert choose_num_workers(FEW_VIDEOS) == 0
    assert 1 <= choose_num_workers(FEW_VIDEOS + 1) <= MOST_WORKERS


def test_a_line_tells_what_was_done(tmp_path):
    targets = Targets(tmp_path / "a.csv", None)
    done = Outcome(num_videos=3, num_failed=1, num_new=2, was_complete=False)
    line = summary(done, targets, seconds=4.0)
    assert re.fullmatch(r".*a.csv: 3 videos, 1 of them .* read .*error.*; 2 predicted in 4 s, 0.5 videos/s", line)
    before = Outcome(num_videos=3, num_failed=1, num_new=0, was_complete=True)
    line = summary(before, targets, seconds=0.0)
    assert re.search("complete, 3 videos, 1 .*retry_errors=true.*nothing is left", line)


def test_videos_go_to_the_terminal_or_into_a_file(tmp_path, capsys):
    videos = [tmp_path / name for name in ("x.mp4", "odd.mp4")]
    for video in videos:
        video.touch()
    asked: list[int] = []
    assert label_listed(given(*videos), source(asked), None) == 1
    out, err = capsys.readouterr()
    assert (out, "odd" in err) == (f"{videos[0]}\n  1.0000  a\n", True)
    words = given(*videos, out=tmp_path / "a.csv", num_workers=3)
    assert label_listed(words, source(asked), label_targets(words)) == 1
    assert asked == [0, 3]
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == f"{videos[0]},a,1,,"
    assert "2 videos, 1 of them could not be read" in capsys.readouterr().out
    assert label_listed(words, source(asked), label_targets(words)) == 0  # complete
    assert asked == [0, 3]


def test_files_are_checked_before_anything_is_loaded(tmp_path):
    with pytest.raises(ValueError, match=r"out='x.xls' .*\.csv, \.jsonl or \.parquet"):
        label_targets(given(out=Path("x.xls")))
    with pytest.raises(ValueError, match="extend and retry_errors .*out= or features="):
        label_targets(given(retry_errors=True))
