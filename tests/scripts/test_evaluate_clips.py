"""scripts/evaluate_clips.py: its tables against each other and against the printed accuracies."""

import csv
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tables_agree(script: ModuleType, tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "list, with comma.csv"
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with listed.open("w", newline="") as file:
        rows = [(tiny_run.videos[0], "a, comma"), (broken, "run"), (tiny_run.videos[2], "jump")]
        csv.writer(file).writerows([("path", "label"), *rows])
    arguments = [f"ckpt_path={tiny_run.checkpoint}", f"manifest={listed}", "num_clips=4"]
    arguments += ["num_crops=3", "average=prob", f"output_dir={tmp_path}", "device=cpu"]
    assert script.main(arguments) == 0
    clips, videos = read_rows(tmp_path / "clips.csv"), read_rows(tmp_path / "videos.csv")
    assert len(clips) == 2 * 4 * 3
    assert [row["num_views"] for row in videos] == ["12", "0", "12"]
    assert "broken.mp4" in videos[1]["error"]
    for video in (videos[0], videos[2]):
        views = [row for row in clips if row["video"] == video["video"]]
        # 25 frames at 10 fps, a clip spans 7: four starts, evenly over frames 0..18
        starts = [float(row["clip_start_seconds"]) for row in views]
        assert starts == [0.0] * 3 + [0.6] * 3 + [1.2] * 3 + [1.8] * 3
        assert [row["crop"] for row in views] == ["0", "1", "2"] * 4
        assert [row["clip_index"] for row in views] == [str(n) for n in range(4) for _ in range(3)]
        mean = dict.fromkeys(("a, comma", "jump", "run"), 0.0)
        for row in views:
            for rank in (1, 2, 3):
                mean[row[f"top{rank}_label"]] += float(row[f"top{rank}_score"]) / 12
        assert mean[video["top1_label"]] == pytest.approx(float(video["top1_score"]), abs=1e-5)
        assert max(mean, key=lambda name: mean[name]) == video["prediction"]
        assert video["correct"] == str(int(video["prediction"] == video["label"]))
    printed, unread = capsys.readouterr()
    assert unread.startswith(f"1 of 3 videos could not be read:\n  can't decode '{broken}'")
    assert unread.endswith(f"{tmp_path}/videos.csv names each, in the column error\n")
    clip_accuracy = sum(row["label"] == row["top1_label"] for row in clips) / len(clips)
    assert f"clip-level  top-1 {clip_accuracy:.3f}  (24 clip views of 2 of 3 videos)" in printed
    video_accuracy = (int(videos[0]["correct"]) + int(videos[2]["correct"])) / 2
    assert re.search(rf"video-level top-1 {video_accuracy:.3f} .*\(2 of 3 videos, 4 clips x 3 crops", printed)


def test_a_protocol_by_name(
    script: ModuleType, tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [f"ckpt_path={tiny_run.checkpoint}", f"manifest={tiny_run.manifest}", "device=cpu"]
    arguments += ["protocol=videomae", "frame_stride=1", f"output_dir={tmp_path}"]
    assert script.main(arguments) == 0
    line = "(3 of 3 videos, 5 clips x 3 crops, softmax averaged, short side 16, protocol videomae)"
    assert line in capsys.readouterr().out
    clips = read_rows(tmp_path / "clips.csv")
    # 25 frames at 10 fps, clips of 4: starts int(k * 21 / 4) = 0, 5, 10, 15, 21
    starts = [float(row["clip_start_seconds"]) for row in clips[:15:3]]
    assert starts == [0.0, 0.5, 1.0, 1.5, 2.1]
    assert len(clips) == 3 * 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path\nx.mp4\n", "has no column label"),
        ("path,label\n", "lists no video"),
        ("path,label\nx.mp4,swim\n", "unknown label 'swim'"),
    ],
)
def test_a_manifest_without_usable_labels(
    script: ModuleType,
    tiny_run: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    message: str,
) -> None:
    (tmp_path / "list.csv").write_text(text)
    arguments = [f"ckpt_path={tiny_run.checkpoint}", f"manifest={tmp_path}/list.csv"]
    assert script.main([*arguments, f"output_dir={tmp_path}/out", "device=cpu"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_if_nothing_can_be_read(
    script: ModuleType, tiny_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "list.csv").write_text("path,label\nbroken.mp4,run\n")
    arguments = [f"ckpt_path={tiny_run.checkpoint}", f"manifest={tmp_path}/list.csv"]
    assert script.main([*arguments, f"output_dir={tmp_path}/out", "device=cpu"]) == 1
    assert re.search("^error: not one of 1 videos .*read: ", capsys.readouterr().err, re.MULTILINE)


def test_a_folder_that_can_not_be_written(
    script: ModuleType,
    tiny_run: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(script, "evaluate_manifest", None)  # must not be called
    arguments = [f"ckpt_path={tiny_run.checkpoint}", f"manifest={tiny_run.manifest}"]
    assert script.main([*arguments, f"output_dir={tmp_path}/file/out", "device=cpu"]) == 2
    folder = tmp_path / "file" / "out"
    assert re.fullmatch(rf"error: .*{folder} .*written \(Not a directory\).*\n", capsys.readouterr().err)


def test_abbreviated_options_are_unknown(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--checkpoin", "x", "manifest=y"]) == 2
    assert capsys.readouterr().err.startswith("error: --checkpoin is no setting; did you mean ckpt_path?")


def test_options_of_before_mean_the_same(script: ModuleType) -> None:
    new = script.COMMAND.parse(["ckpt_path=a", "manifest=b", "num_clips=2", "average=prob", "output_dir=c"])
    old = ["--checkpoint", "a", "--manifest=b", "--num-clips", "2", "--average=prob", "--output-dir", "c"]
    assert script.COMMAND.parse([*old, "--batch-size", "4", "--device=auto"]) == new
