"""Several labels a video, end to end: from a CSV by training, evaluation and ledger to predictions."""

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evaluating import evaluate
from hydra import compose, initialize_config_dir
from loaded_file import load_script
from omegaconf import OmegaConf
from torchmetrics.functional.classification import multilabel_average_precision

from stvit_video import ledger as ledger_command
from stvit_video import predict as predict_command
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.evaluation.ledger.offline import evaluate_ledger
from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.evaluation.plots import read_curve
from stvit_video.inference.predicting import predict_records
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.scoring import evaluate_manifest, score_videos
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train

TINY = [
    *("data=csv", "data.num_frames=4", "data.frame_stride=2", "data.short_side=20", "data.crop_size=16"),
    *("data.batch_size=4", "data.num_workers=0", "model=stvit_video_deit_tiny", "model.patch_size=4"),
    *("model.embed_dim=8", "model.num_heads=2", "model.depth=4", "model.generate_at=1", "model.num_tokens=4"),
    *("optim.warmup_epochs=0", "optim.lr=0.01", "optim.label_smoothing=0.1", "trainer.accelerator=cpu"),
    *("trainer.enable_progress_bar=false", "trainer.max_epochs=1", "protocol.num_clips=2", "protocol.num_crops=3"),
]


@dataclass(frozen=True)
class Run:
    """A training on eight videos that are bright or not, and red or not."""

    folder: Path
    manifest: Path
    result: dict[str, Any]

    @property
    def checkpoint(self) -> Path:
        return self.folder / "last.ckpt"


def write_videos(folder: Path) -> Path:
    """Eight videos, two of each of: nothing, bright, red, both; returns their list."""
    rows = [("path", "label")]
    for number in range(8):
        bright, red = number % 2, number // 2 % 2
        noise = np.random.default_rng(number).integers(0, 60, (25, 20, 30, 3)) + 120 * bright
        noise[..., 1:] -= 60 * red
        encode_video(folder / f"{number}.mp4", noise.clip(0, 255).astype(np.uint8), fps=10)
        names = ["bright, very"] * bright + ["red"] * red
        rows.append((f"{number}.mp4", " ; ".join(reversed(names))))
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "list.csv"


def settings_for(manifest: Path, *overrides: str) -> dict[str, Any]:
    lists = [f"data.train='{manifest}'", f"data.val='{manifest}'", "data.label_separator=';'"]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=[*TINY, *lists, *overrides]), resolve=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("several labels")
    manifest = write_videos(folder)
    result = train(settings_for(manifest, "trainer.max_epochs=2", "report_checkpoint=last"), run_dir=folder / "run")
    return Run(folder / "run", manifest, result)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_training_reports_map_and_no_accuracy(run: Run) -> None:
    assert json.loads((run.folder / "result.json").read_text()) == run.result
    assert run.result["multi_label"] is True
    assert not {"top1", "top5", "mean_class_accuracy"} & set(run.result)
    mean = run.result["mean_average_precision"]
    assert run.result["result"] == (
        f"mAP {mean:.3f}  (8 of 8 videos, 2 clips x 3 crops, sigmoid averaged, short side 20, protocol uniform)"
    )
    files = {path.name for path in run.folder.iterdir()}
    assert {"best.ckpt", "last.ckpt", "curves.png", "predictions.csv", "per_class.csv", "report.html"} <= files
    assert "confusion_matrix.png" not in files
    header = (run.folder / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train/loss", "val/loss", "val/mAP"} <= set(header)
    assert not [name for name in header if "top" in name]


def test_the_best_checkpoint_has_the_best_map(run: Run) -> None:
    course = read_curve(run.folder / "metrics.csv", "val/mAP")
    epoch = torch.load(run.folder / "best.ckpt", weights_only=True)["epoch"]
    assert sorted(course) == [0, 1]
    assert course[epoch] == max(course.values())
    # the validation in training takes one view of each video, as this evaluation does
    recognizer = load_recognizer(run.checkpoint, device="cpu", num_clips=1, num_crops=1)
    manifest = read_csv_manifest(run.manifest, classes=recognizer.classes, label_separator=";")
    result = evaluate_manifest(recognizer, manifest)
    _, metrics = score_videos(recognizer, result)
    assert metrics["mean_average_precision"] == pytest.approx(course[1], abs=1e-6)
    scores, targets = result.view_logits[:, 0].sigmoid(), result.labels.long()
    expected = multilabel_average_precision(scores, targets, num_labels=2, thresholds=None)
    assert metrics["mean_average_precision"] == pytest.approx(expected.item(), abs=1e-6)


def test_predictions_list_labels_and_scores(run: Run) -> None:
    rows = read_rows(run.folder / "predictions.csv")
    assert [row["labels"] for row in rows] == ["", "bright, very", "red", "bright, very;red"] * 2
    for row in rows:
        scores = {row[f"top{rank}_label"]: float(row[f"top{rank}_score"]) for rank in (1, 2)}
        assert row["predictions"] == ";".join(name for name in ("bright, very", "red") if scores[name] >= 0.5)


def test_evaluate_and_its_ledger_say_the_same(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = evaluate(ckpt_path=run.checkpoint, output_dir=tmp_path, device="cpu")
    line = capsys.readouterr().out.splitlines()[0]
    assert (
        summary["mean_average_precision"]
        == evaluate_ledger(read_ledger(tmp_path / "ledger.parquet"), num_resamples=0).metrics["mean_average_precision"]
    )
    assert ledger_command.main([str(tmp_path / "ledger.parquet"), "by=class"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == line == summary["result"]
    assert printed[3].split() == ["class", "videos", "average_precision"]
    assert [row.split()[-2] for row in printed[4:]] == ["4", "4"]
    ledger = read_ledger(tmp_path / "ledger.parquet", classes=("bright, very", "red"))
    assert ledger.labels == ((), (0,), (1,), (0, 1)) * 2
    # another list by its own source is read as the training's was; logits are averaged where that is asked for
    options = {"source": "csv", "val": str(run.manifest), "average": "logit"}
    other = evaluate(ckpt_path=run.checkpoint, output_dir=tmp_path / "other", device="cpu", **options)
    assert "logits averaged" in other["result"]
    expected = evaluate_ledger(ledger, average="logit", num_resamples=0).metrics["mean_average_precision"]
    assert other["mean_average_precision"] == pytest.approx(expected)


def in_two_processes(folder: Path, *arguments: str) -> str:
    """What `python -m` prints with these arguments, in two processes."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launcher, *arguments], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_training_by_two_processes_reports_every_video_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    rows = [row | {"path": str(run.manifest.parent / row["path"])} for row in read_rows(run.manifest)]
    with (tmp_path / "val.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "label"])
        writer.writeheader()
        writer.writerows([*rows[:7], {"path": "broken.mp4", "label": "red"}])  # so the two have not equally many
    lists = [f"data.train='{run.manifest}'", "data.val=val.csv", "data.label_separator=';'", "data.batch_size=2"]
    options = ["trainer.devices=2", "trainer.strategy=ddp", "report_checkpoint=last", "hydra.run.dir=out"]
    views = ["protocol.num_clips=1", "protocol.num_crops=1"]
    printed = in_two_processes(tmp_path, "stvit_video.train", *TINY, *lists, *options, *views)
    assert printed.count("(7 of 8 videos, 1 clip x 1 crop, sigmoid averaged") == 1
    assert len(read_rows(tmp_path / "out" / "predictions.csv")) == 8
    mean = json.loads((tmp_path / "out" / "result.json").read_text())["mean_average_precision"]
    assert read_curve(tmp_path / "out" / "metrics.csv", "val/mAP") == {0: pytest.approx(mean, abs=1e-6)}


def test_predict_prints_independent_probabilities(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    video = run.manifest.parent / "3.mp4"
    options = [f"ckpt_path={run.checkpoint}", "device=cpu"]
    assert predict_command.main([*options, str(video)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(video)
    found = {line[10:]: float(line[:10]) for line in lines[1:]}
    row = read_rows(run.folder / "predictions.csv")[3]
    stored = {row[f"top{rank}_label"]: float(row[f"top{rank}_score"]) for rank in (1, 2)}
    assert found == pytest.approx(stored, abs=1e-4)
    assert set(found) == {"bright, very", "red"}
    limit = sorted(found.values())[1]
    assert predict_command.main([*options, f"threshold={limit - 1e-4}", str(video)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + sum(value >= limit - 1e-4 for value in found.values())
    assert predict_command.main([*options, "threshold=1", str(video)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(video)]


def test_predict_writes_every_label_of_a_threshold(run: Run, tmp_path: Path) -> None:
    words = [f"ckpt_path={run.checkpoint}", "device=cpu", "threshold=0", str(run.manifest)]
    assert predict_command.main([*words, f"out={tmp_path / 'all.csv'}"]) == 0
    assert predict_command.main([*words, f"out={tmp_path / 'all.jsonl'}"]) == 0
    rows = read_rows(tmp_path / "all.csv")
    assert list(rows[0]) == ["path", "labels", "probabilities", "seconds", "error"]
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    for row, line in zip(rows, lines, strict=True):
        assert sorted(row["labels"].split(";")) == sorted(line["labels"]) == ["bright, very", "red"]
        assert [float(text) for text in row["probabilities"].split(";")] == line["probabilities"]


def test_probabilities_are_the_sigmoids_of_the_model_called_by_hand(run: Run) -> None:
    for average in ("prob", "logit"):
        recognizer = load_recognizer(run.checkpoint, device="cpu", average=average)
        manifest = read_csv_manifest(run.manifest, classes=recognizer.classes, label_separator=";")
        logits = evaluate_manifest(recognizer, manifest).view_logits  # (8, 6, 2)
        expected = logits.sigmoid().mean(1) if average == "prob" else logits.mean(1).sigmoid()
        (found,) = predict_records(recognizer, [manifest.records[5]])
        order = [recognizer.classes.index(name) for name in found.labels]
        torch.testing.assert_close(torch.tensor(found.probabilities), expected[5, order])


def test_clip_tables(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = load_script("evaluate_clips")
    arguments = [f"ckpt_path={run.checkpoint}", f"manifest={run.manifest}", "device=cpu"]
    assert script.main([*arguments, f"output_dir={tmp_path}"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^clip-level  mAP 0\.\d{3}  \(48 clip views of 8 of 8 videos\)$", printed, re.MULTILINE)
    assert re.search(r"^video-level mAP [01]\.\d{3}  \(8 of 8 videos, .* sigmoid averaged", printed, re.MULTILINE)
    clips, videos = read_rows(tmp_path / "clips.csv"), read_rows(tmp_path / "videos.csv")
    assert [row["labels"] for row in clips] == [row["labels"] for row in videos for _ in range(6)]
    assert script.main([*arguments, f"output_dir={tmp_path}", "label_separator=/"]) == 2
    assert "label 'red ; bright, very'" in capsys.readouterr().err


def test_one_kind_of_checkpoint_is_not_for_the_other_kind_of_data(run: Run, tiny_run: Any, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="list .*several labels a video .*checkpoint .*one each"):
        evaluate(ckpt_path=tiny_run.checkpoint, output_dir=tmp_path, label_separator="|")
    for name in ("bright, very", "red"):
        (tmp_path / "val" / name).mkdir(parents=True)
        (tmp_path / "val" / name / "x.mp4").touch()
    with pytest.raises(ManifestError, match="checkpoint .*several labels a video .*list .*one each"):
        evaluate(ckpt_path=run.checkpoint, output_dir=tmp_path, source="folder", root=str(tmp_path))
    with pytest.raises(ValueError, match=r"data\.label_separator='\|' .*csv data, not for folder"):
        evaluate(
            ckpt_path=run.checkpoint, output_dir=tmp_path, source="folder", root=str(tmp_path), label_separator="|"
        )
    single = tmp_path / "single.csv"
    videos = [[run.manifest.parent / f"{number}.mp4", name] for number, name in ((1, "bright, very"), (2, "red"))]
    with single.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label"], *videos])
    settings = settings_for(single, "data.label_separator=null", "data.batch_size=2", "trainer.max_epochs=3")
    with pytest.raises(ValueError, match="other settings: .*data.label_separator=; then, None now"):
        train(settings | {"ckpt_path": str(run.checkpoint)}, run_dir=tmp_path / "resumed")


def test_the_heavy_recipe_trains_on_several_labels(run: Run, tmp_path: Path) -> None:
    heavy = ["augment=videomae", "data.num_repeats=2", "protocol.num_clips=1", "protocol.num_crops=1"]
    result = train(settings_for(run.manifest, *heavy), run_dir=tmp_path)
    assert 0 < result["mean_average_precision"] <= 1
    assert "top" not in (tmp_path / "metrics.csv").read_text().splitlines()[0]
