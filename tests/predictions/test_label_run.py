import re

import pytest

from stvit_video.predict import main
from stvit_video.predictions.label_run import FEW_VIDEOS, MOST_WORKERS, choose_num_workers, summary
from stvit_video.predictions.result_files import Targets
from stvit_video.predictions.to_files import Outcome


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["every=2", "detections=3"], "every, detections: .*find objects or label pixels, .*labels videos"),
        (["long_side=300"], "long_side: .*find objects"),
        (["out=labels.xls"], r"out='labels.xls' .*\.csv, \.jsonl or \.parquet"),
        (["out=seen"], r"out='seen' .*\.csv, \.jsonl or \.parquet"),
        (["extend=true"], "extend and retry_errors .*out= or features="),
    ],
)
def test_settings_that_need_another_checkpoint_or_a_file(tiny_run, capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main([f"ckpt_path={tiny_run.checkpoint}", "device=cpu", str(tiny_run.videos[0]), *words]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []
