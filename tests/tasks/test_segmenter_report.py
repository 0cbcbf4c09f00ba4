import csv
import json
import shutil

import pytest
import torch
from PIL import Image

from stvit_video.factories.map_lists import read_maps
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.tasks.segmenter_report import SegmenterReport


@pytest.fixture(scope="module")
def segmenter(tiny_segmenter):
    return load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu")


@pytest.fixture
def copied(segmenter, tmp_path):
    """A folder of pictures that may be changed, and the list of its validation pictures."""
    shutil.copytree(segmenter.config["data"]["root"], tmp_path / "copy")
    return tmp_path / "copy", listed(segmenter, root=str(tmp_path / "copy"))


def listed(segmenter, **changes):
    return read_maps({**segmenter.config["data"], **changes}, ("val",), classes=segmenter.classes)["val"]


def evaluated(segmenter, pictures, folder, **more):
    return SegmenterReport().evaluate(segmenter, pictures, folder, batch_size=2, num_workers=0, extra={}, **more)


def test_files_hold_what_the_summary_says(segmenter, tmp_path, capsys):
    summary = SegmenterReport().evaluate(
        segmenter, listed(segmenter), tmp_path, batch_size=2, num_workers=0, extra={"x": 1}
    )
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert (summary["x"], summary["task"], summary["model"], summary["head"]) == (
        *(1, "semantic", "casvit_xs"),
        "semantic_fpn",
    )
    assert summary["gmacs_segmenter"] > summary["gmacs_backbone"] > 0
    assert summary["picture_size"] == [64, 64]  # 64 x 48, both sides enlarged to multiples of 32
    assert {"hardware", "commit", "date"} <= set(summary)
    with (tmp_path / "per_class.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(segmenter.classes) == list(summary["per_class"])
    pictures = listed(segmenter)
    assert sum(int(row["pixels"]) for row in rows) == sum(pictures.read_map(n).size for n in range(5))
    for name in ("confusion_matrix.png", "examples.png"):
        assert (tmp_path / name).read_bytes()[:4] == b"\x89PNG"
    told = capsys.readouterr().out
    assert told.startswith(f"{summary['result']}\n")
    assert summary["result"].endswith("(short side 48, long side 64, whole picture, 5 of 5 pictures)")
    assert f"result.json, per_class.csv, confusion_matrix.png, examples.png and report.html are in {tmp_path}" in told


def test_windows_are_told_and_counted(tiny_segmenter, tmp_path):
    sliding = load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu", window=32)
    summary = evaluated(sliding, listed(sliding), tmp_path)
    assert "windows of 32 at stride 21, 5 of 5" in summary["result"]
    assert summary["num_windows"] == 9


def test_a_picture_or_map_that_can_not_be_read_is_missing_with_its_reason(segmenter, copied, tmp_path, capsys):
    _, pictures = copied
    picture, labels = pictures.pictures[1].path, pictures.pictures[3].map_file.path
    for path in (picture, labels):
        path.write_bytes(b"no picture")
    summary = evaluated(segmenter, pictures, tmp_path / "out")
    assert summary["result"].endswith("3 of 5 pictures)")
    told = capsys.readouterr().out
    assert "2 of 5 pictures could not be evaluated" in told
    assert picture.name in told
    assert labels.name in told


def test_nothing_that_can_be_read_is_an_error(segmenter, copied, tmp_path):
    _, pictures = copied
    for record in pictures.pictures:
        record.path.write_bytes(b"no picture")
    with pytest.raises(NothingEvaluatedError, match="not one of 5 pictures could be read, for example .*; "):
        evaluated(segmenter, pictures, tmp_path / "out")


def test_pictures_without_a_pixel_that_counts_have_no_score_and_no_examples(segmenter, copied, tmp_path, capsys):
    _, pictures = copied
    (tmp_path / "examples.png").write_bytes(b"of an earlier evaluation")
    for record in pictures.pictures:
        with Image.open(record.map_file.path) as stored:
            size = stored.size
        Image.new("L", size, 255).save(record.map_file.path)
    summary = evaluated(segmenter, pictures, tmp_path)
    assert (summary["mIoU"], summary["mAcc"], summary["aAcc"]) == (None, None, None)
    told = capsys.readouterr().out
    assert "mIoU -  mAcc -  aAcc -" in told
    assert "note: no pixel counts" in told
    assert not (tmp_path / "examples.png").exists()


def test_perfect_labels_have_an_miou_of_one(segmenter, tmp_path, monkeypatch):
    """The whole way from the files to the line, with a model that knows the answer."""
    pictures = listed(segmenter)
    truths = iter([torch.from_numpy(pictures.read_map(n)) for n in range(5)])

    def known(batch, sizes, originals, **more):
        return [{"labels": next(truths).clamp(max=3), "scores": None} for _ in sizes]

    monkeypatch.setattr(segmenter.model, "segment", known)
    monkeypatch.setattr(
        "stvit_video.tasks.segmenter_report.segmenter_cost", lambda *args, **more: {"gmacs_backbone": 1.0}
    )
    summary = evaluated(segmenter, pictures, tmp_path)
    assert (summary["mIoU"], summary["mAcc"], summary["aAcc"]) == (1, 1, 1)
