"""Label maps of pictures and videos, by the command's own function."""

import json
import re

import av
import numpy as np
import pytest
from PIL import Image
from untrained_run import write_drifting

import stvit_video
from stvit_video.predict import main
from stvit_video.visualization.class_colours import class_colour


@pytest.fixture
def files(tiny_segmenter, tmp_path, monkeypatch):
    """Words of a command in an empty folder: a picture, a video of 9 frames, and files that can't be read."""
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    write_drifting(tmp_path / "street.mp4", seed=0, num_frames=9)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    monkeypatch.chdir(tmp_path)
    return [f"ckpt_path={tiny_segmenter.checkpoint}", "device=cpu"]


def test_a_picture_and_a_video_with_their_maps(files, tmp_path, capsys, tiny_segmenter):
    assert main([*files, "photo.jpg", "street.mp4", "out=seen", "every=4", "batch_size=2"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"photo.jpg: \d+ % \w+.*, seen/photo.png\n", told)
    assert "street.mp4: 9 of 9 frames, seen/street.mp4" in told
    assert "seen: label maps of 2 files" in told
    names = [".drawn_by.json", "photo.json", "photo.png", "photo_labels.png", "street.jsonl", "street.mp4"]
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == names
    photo = json.loads((tmp_path / "seen" / "photo.json").read_text())
    assert (photo["picture"], photo["width"], photo["height"], photo["model"]) == ("photo.jpg", 70, 50, "casvit_xs")
    lines = [json.loads(line) for line in (tmp_path / "seen" / "street.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 4, 8]
    assert all(sum(line["classes"].values()) == pytest.approx(1, abs=1e-5) for line in lines)
    with av.open(str(tmp_path / "seen" / "street.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert (len(frames), frames[0].shape) == (9, (20, 30, 3))


def test_the_labels_are_those_of_python_and_their_shares_are_told(files, tmp_path, tiny_segmenter):
    assert main([*files, "photo.jpg", "out=seen"]) == 0
    segmenter = stvit_video.load(tiny_segmenter.checkpoint, device="cpu")
    expected = segmenter("photo.jpg")["labels"]
    with Image.open(tmp_path / "seen" / "photo_labels.png") as stored:
        assert np.array_equal(np.asarray(stored), expected)
    photo = json.loads((tmp_path / "seen" / "photo.json").read_text())
    assert photo["names"] == list(segmenter.classes)
    shares = {name: (expected == label).mean() for label, name in enumerate(segmenter.classes)}
    assert photo["classes"] == pytest.approx({name: share for name, share in shares.items() if share}, abs=1e-6)


def test_without_a_legend_the_picture_keeps_its_size(files, tmp_path):
    assert main([*files, "photo.jpg", "out=seen", "legend=false"]) == 0
    assert Image.open(tmp_path / "seen" / "photo.png").size == (70, 50)
    assert main([*files, "photo.jpg", "out=named"]) == 0
    named = np.asarray(Image.open(tmp_path / "named" / "photo.png"))
    assert named.shape[0] > 50
    assert any((named[50:] == class_colour(label)).all(-1).any() for label in range(4))


def test_files_that_can_not_be_read_are_told_and_the_others_drawn(files, tmp_path, capsys):
    assert main([*files, "broken.png", "photo.jpg", "broken.mp4", "out=seen"]) == 1
    told = capsys.readouterr()
    assert "broken.png" in told.err
    assert "broken.mp4" in told.err
    assert "seen: label maps of 1 file, 2 could not be read" in told.out


def test_a_source_is_not_written_over(files, tmp_path, capsys):
    (tmp_path / "photo_labels.png").write_bytes((tmp_path / "photo.jpg").read_bytes())
    assert main([*files, "photo.jpg", "photo_labels.png", "out=."]) == 2
    assert re.search("written over .*photo_labels.png", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("num_tokens=3", "num_tokens: .*label videos, .*labels pixels"),
        ("threshold=0.5", "threshold: not for a checkpoint that labels pixels; leave it out"),
        ("detections=3", "detections: not for"),
        ("short_side=90", "short_side=90 .*long_side=64"),
        ("window_stride=20", "window_stride=20 needs a window"),
        ("out=labels.csv", "out=labels.csv: found label maps .*folder.* out=labels$"),
    ],
)
def test_settings_that_a_segmenter_does_not_take(files, tmp_path, capsys, word, message):
    assert main([*files, "photo.jpg", word]) == 2
    assert re.search(message, capsys.readouterr().err, flags=re.MULTILINE)
    assert not (tmp_path / "outputs").exists()
