"""Segmenters by the commands themselves: two processes, a sweep, and commands for checkpoints that label videos."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from segmenter_run import segmenter_settings, tiny_map_overrides

from stvit_video import benchmark, budget, ledger, sweep
from stvit_video.evaluate import evaluate
from stvit_video.sweeps.launch import launch_sweep

pytestmark = pytest.mark.commands


def test_two_processes_score_each_picture_once_and_as_one_does(drawn_maps, tmp_path):
    """Five pictures, so one process has more of them than the other."""
    settings = segmenter_settings(drawn_maps, "trainer=ddp", "data.batch_size=1")
    (tmp_path / "trainings.json").write_text(json.dumps({"two": settings}))
    worker = Path(__file__).parent / "helpers" / "scale_worker.py"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launcher, str(worker), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert done.stdout.count("5 of 5 pictures)") == 1
    two = json.loads((tmp_path / "two" / "result.json").read_text())
    values = {"ckpt_path": str(tmp_path / "two" / "best.ckpt"), "device": "cpu", "batch_size": 1}
    one = evaluate(values, output_dir=tmp_path / "one")
    assert (two["num_pictures_used"], two["result"]) == (5, one["result"])
    for name in ("mIoU", "mAcc", "aAcc", "per_class"):
        assert two[name] == one[name]
    assert (tmp_path / "two" / "per_class.csv").read_text() == (tmp_path / "one" / "per_class.csv").read_text()


def test_a_sweep_over_heads_is_reported_by_miou(drawn_maps, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [word for word in tiny_map_overrides(drawn_maps) if not word.startswith("head")]
    heads = ["head=semantic_fpn,upernet", "head.head_channels=8"]
    status = launch_sweep(["-m", *words, *heads, "sweep.name=heads"], module="stvit_video.train", config_name="train")
    assert status == 0, capsys.readouterr()
    capsys.readouterr()
    assert sweep.main(["multirun/heads"]) == 0
    told = capsys.readouterr().out
    for head in ("semantic_fpn", "upernet"):
        assert re.search(rf"{head}, casvit_xs.*: 0\.\d+ .*1 run\), .* GMACs, .* pictures/s", told)
    assert "mIoU_mean" in Path("multirun/heads/report.csv").read_text()


@pytest.mark.parametrize(
    "command",
    [budget.main, ledger.main, benchmark.main],
    ids=["budget", "ledger", "predict"],
)
def test_commands_for_checkpoints_that_label_videos_say_so(tiny_segmenter, tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    words = {
        budget.main: [f"ckpt_path={tiny_segmenter.checkpoint}", "gmacs=5"],
        ledger.main: [str(tiny_segmenter.folder)],
        benchmark.main: ["predict", f"ckpt_path={tiny_segmenter.checkpoint}", f"videos={tiny_segmenter.root}"],
    }[command]
    assert command(words) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert re.search("error: .*(task=semantic|ledger.parquet)", told), told
    assert list(tmp_path.iterdir()) == []
