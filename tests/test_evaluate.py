"""evaluate: as a command, its figures against its own predictions file, other data, and clear errors."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import RunCommand
from evaluating import evaluate

from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.evaluation.ledger.offline import evaluate_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.sweeps.launch import launch_sweep
from stvit_video.tasks.evaluation_settings import read_evaluation


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run_afresh(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stvit_video.evaluate", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_command_from_another_directory(tiny_run: Any, tmp_path: Path) -> None:
    done = run_afresh(
        tmp_path, f"ckpt_path='{tiny_run.checkpoint}'", "hydra.run.dir=out", "device=cpu", "num_workers=1"
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    rows = read_rows(tmp_path / "out" / "predictions.csv")
    assert [row["video"] for row in rows] == [video.name for video in tiny_run.videos]
    assert [row["label"] for row in rows] == ["a, comma", "jump", "run"]
    top1 = sum(row["label"] == row["top1_label"] for row in rows) / 3
    assert summary["top1"] == pytest.approx(top1)
    assert f"top-1 {top1:.3f}  top-5 1.000  mean-class {top1:.3f}  (3 of 3 videos, " in done.stdout
    assert "2 clips x 3 crops, softmax averaged, short side 20, protocol uniform)" in done.stdout
    assert (tmp_path / "out" / "confusion_matrix.png").stat().st_size > 1000
    ledger = read_ledger(tmp_path / "out" / "ledger.parquet")
    assert evaluate_ledger(ledger).metrics["top1"] == pytest.approx(top1)
    assert [video.name for video in tiny_run.videos] == list(ledger.video_ids)


def test_two_processes_write_the_ledger_of_one(run_command: RunCommand, tiny_run: Any, tmp_path: Path) -> None:
    arguments = [f"ckpt_path='{tiny_run.checkpoint}'", "device=cpu", "batch_size=2"]
    alone = run_command("stvit_video.evaluate", *arguments, "hydra.run.dir=one", cwd=tmp_path)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    together = subprocess.run(
        [*launcher, "-m", "stvit_video.evaluate", *arguments, "hydra.run.dir=two"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    for done in (alone, together):
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("(3 of 3 videos, ") == 1
    assert (tmp_path / "one" / "ledger.parquet").read_bytes() == (tmp_path / "two" / "ledger.parquet").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # the whole sentence, once for its family
        ((), "error: ckpt_path is missing; give it, for example ckpt_path=/path\n"),
        (("ckpt_path=x", "hydra.run.dir=file/out"), r"error: file/out .*written.* \(Not a directory\)\n"),
        (
            ("ckpt_path=x", "num_clip=3", "+foo=1", "model.tokens=3", "data.vall=a"),
            r"error: model.tokens is no setting; .*model.num_tokens\?; num_clip is no setting; .*num_clips\?; "
            r"foo is no setting; .*--cfg job prints all that there are; data.vall is no setting; .*data.val\?\n",
        ),
    ],
)
def test_wrong_commands_end_in_a_sentence(
    run_command: RunCommand, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "file").touch()
    done = run_command("stvit_video.evaluate", *arguments, cwd=tmp_path)
    assert done.returncode == (1 if "hydra.run.dir=file/out" in arguments else 2)
    assert re.match(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_a_number_as_precision_and_a_word_as_number(tiny_run: Any, tmp_path: Path) -> None:
    summary = evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, device="cpu", precision=32, num_clips=1)
    assert summary["precision"] == "32"
    with pytest.raises(ValueError, match="num_clips='x' .*whole number at least 1"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, num_clips="x")


def test_a_folder_that_can_not_be_written_is_told_before_the_inference(
    tiny_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("stvit_video.tasks.video_evaluation.evaluate_manifest", None)
    with pytest.raises(ValueError, match=r"output folder .*file/out .*written \(Not a directory\)"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path / "file" / "out", device="cpu")


def test_options_outdo_the_checkpoint(tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    with other.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), (tiny_run.videos[1].name, "run")])
    summary = evaluate(
        ckpt_path=tiny_run.checkpoint,
        output_dir=tmp_path / "out",
        source="csv",
        val=str(other),
        root=str(tiny_run.manifest.parent),
        num_clips=1,
        num_crops=1,
        average="logit",
        device="cpu",
    )
    assert (summary["num_videos_used"], summary["num_videos_listed"]) == (1, 1)
    assert summary["protocol"] == {"name": "uniform", "num_clips": 1, "num_crops": 1, "average": "logit"}
    line = "(1 of 1 videos, 1 clip x 1 crop, logits averaged, short side 20, protocol uniform)"
    assert line in capsys.readouterr().out


def test_the_help_names_every_protocol() -> None:
    text = EvaluateSettings.model_fields["protocol"].description or ""
    assert set(re.findall(r"\w+", text.partition(";")[0])) - {"or"} == set(PROTOCOLS)


def test_a_protocol_by_name(tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    summary = evaluate(ckpt_path=tiny_run.checkpoint, output_dir=folder, protocol="videoswin", device="cpu")
    line = "(3 of 3 videos, 4 clips x 3 crops, softmax averaged, short side 16, protocol videoswin)"
    assert line in capsys.readouterr().out
    assert summary["protocol"] == {"name": "videoswin", "num_clips": 4, "num_crops": 3, "average": "prob"}
    assert (summary["preprocessing"]["short_side"], summary["preprocessing"]["crop_size"]) == (16, 16)
    assert {row["num_views"] for row in read_rows(tmp_path / "out" / "predictions.csv")} == {"12"}
    with pytest.raises(ValueError, match="protocol='best' .*uniform, single, videoswin"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, protocol="best")


def test_a_broken_video_is_reported_not_replaced(
    tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, video in (("jump", tiny_run.videos[1]), ("run", tiny_run.videos[2])):
        (tmp_path / "val" / name).mkdir(parents=True)
        (tmp_path / "val" / name / "x.mp4").write_bytes(video.read_bytes())
    (tmp_path / "val" / "run" / "broken.mp4").write_bytes(b"no video at all")
    summary = evaluate(
        ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, source="folder", root=str(tmp_path), device="cpu"
    )
    assert (summary["num_videos_used"], summary["num_videos_listed"]) == (2, 3)
    printed = capsys.readouterr()
    assert "(2 of 3 videos, " in printed.out
    first, reason, last = printed.err.splitlines()
    assert first == "1 of 3 videos could not be read:"
    assert reason.startswith(f"  can't decode '{tmp_path}/val/run/broken.mp4'")
    assert last == f"{tmp_path}/predictions.csv names each, in the column error"
    rows = {row["video"]: row for row in read_rows(tmp_path / "predictions.csv")}
    assert "broken.mp4" in rows["run/broken.mp4"]["error"]
    assert rows["run/broken.mp4"]["prediction"] == ""
    assert rows["jump/x.mp4"]["error"] == ""
    page = (tmp_path / "report.html").read_text()
    assert "1 file is not counted" in page
    assert "<strong><bdi>run/broken.mp4</bdi></strong>: <bdi>can&#39;t decode" in page
    wrong = [row for row in rows.values() if row["correct"] == "0"]
    assert wrong  # the checkpoint is untrained
    assert page.count("data:image/jpeg") == len(wrong)


def test_a_wrong_setting_of_a_layout_is_told() -> None:
    values = {"ckpt_path": "x", "data": {"source": "hmdb51", "split": "a", "splitt": 3}}
    with pytest.raises(ValueError, match=r"^data.splitt is no setting; .*split\?; data.split='a' .*1, 2, 3$"):
        read_evaluation(EvaluateSettings, values)


def test_token_counts_of_one_checkpoint(tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, many = (
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path / str(n), device="cpu", num_tokens=n)
        for n in (2, 8)
    )
    assert (few["num_tokens"], many["num_tokens"], many["token_grid"]) == (2, 8, [2, 2, 2])
    assert few["gmacs_per_view"] < many["gmacs_per_view"]
    with pytest.raises(ValueError, match="num_tokens=99 .*32 image tokens"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, device="cpu", num_tokens=99)


def test_a_sweep_over_token_counts(tiny_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["-m", f"ckpt_path='{tiny_run.checkpoint}'", "model.num_tokens=2", "device=cpu", "num_workers=0"]
    assert launch_sweep([*command, "sweep.name=a"], module="stvit_video.evaluate", config_name="evaluate") == 0
    assert json.loads((tmp_path / "multirun" / "a" / "0" / "result.json").read_text())["num_tokens"] == 2


def test_the_time_limit_can_be_set_and_its_error_names_it(tiny_run: Any, tmp_path: Path) -> None:
    with pytest.raises(NothingEvaluatedError, match=r"time limit of 1e-09 s; .*\btime_limit_seconds\b"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, device="cpu", time_limit_seconds=1e-9)
