"""The settings of predict that a checkpoint which labels videos can't take."""

import re

import pytest

from stvit_video.predict import main


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
