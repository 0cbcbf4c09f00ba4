"""Objects in pictures and videos, by the command's own function."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from untrained_run import write_drifting

from stvit_video.predict import COMMAND, main


@pytest.fixture
def files(tiny_detector, tmp_path, monkeypatch):
    """Words of a command in an empty folder: a picture, a video of 9 frames, and files that can't be read."""
    (tmp_path / "photo.png").write_bytes(tiny_detector.pictures[0].read_bytes())
    write_drifting(tmp_path / "street.mp4", seed=0, num_frames=9)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    monkeypatch.chdir(tmp_path)
    return [f"ckpt_path={tiny_detector.checkpoint}", "device=cpu", "threshold=0.001"]


def test_a_picture_and_a_video_with_their_objects(files, tmp_path, capsys):
    assert main([*files, "photo.png", "street.mp4", "out=seen", "every=4", "detections=6", "batch_size=2"]) == 0
    told = capsys.readouterr().out
    assert "photo.png: " in told
    assert "seen: objects of 2 files" in told
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        *(".drawn_by.json", "photo.json", "photo.png", "street.jsonl", "street.mp4")
    ]
    photo = json.loads((tmp_path / "seen" / "photo.json").read_text())
    found = photo["detections"]
    assert 0 < len(found) <= 6
    assert {one["label"] for one in found} <= {"disc", "square", "triangle"}
    lines = [json.loads(line) for line in (tmp_path / "seen" / "street.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 4, 8]
    with av.open(str(tmp_path / "seen" / "street.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert (len(frames), frames[0].shape) == (9, (20, 30, 3))


def test_files_that_can_not_be_read_are_told_and_the_others_drawn(files, tmp_path, capsys):
    assert main([*files, "broken.png", "photo.png", "broken.mp4", "out=seen"]) == 1
    told = capsys.readouterr()
    assert "broken.png" in told.err
    assert "broken.mp4" in told.err
    assert "seen: objects of 1 file, 2 could not be read" in told.out
    assert (tmp_path / "seen" / "photo.png").is_file()


def test_more_than_8_bits_are_told(files, tmp_path, capsys):
    Image.fromarray(np.full((40, 50), 3000, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert main([*files, "photo.png", "deep.png", "out=seen"]) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if "8 bits" in line] == [
        "note: deep.png: it has more than 8 bits a channel; values above 255 become white: scale it to 8 bits"
    ]


def test_without_results_no_folder_is_left(files, tmp_path):
    (tmp_path / "kept").mkdir()
    assert main([*files, "broken.png", "out=kept/one/two"]) == 1
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_file_in_place_of_the_folder(files, capsys):
    assert main([*files, "photo.png", "out=broken.png"]) == 2
    assert "out=broken.png is a file; give a folder" in capsys.readouterr().err


def test_a_folder_gives_pictures_and_videos(files, tmp_path, capsys):
    (tmp_path / "broken.png").unlink()
    (tmp_path / "broken.mp4").unlink()
    assert main([*files, str(tmp_path), "threshold=1"]) == 0
    assert "photo.png: no objects" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "outputs" / "predict").iterdir()}
    assert {"photo.png", "street.mp4"} <= names


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("num_tokens=3", "num_tokens: .*label videos, .*finds objects"),
        ("features=a.npz", "features: .*label videos"),
        ("window=64", "window: not for a checkpoint that finds objects; leave it out"),
        ("short_side=90", "short_side=90 .*long_side=64"),
        ("detections=0", "detections"),
        ("out=labels.csv", "out=labels.csv: .*folder.* out=labels$"),
    ],
)
def test_settings_that_a_detector_does_not_take(files, capsys, word, message):
    import re

    assert main([*files, "photo.png", word]) == 2
    assert re.search(message, capsys.readouterr().err, flags=re.MULTILINE)
    assert not Path("labels.csv").exists()


def test_a_file_that_is_not_there_is_named(files, capsys):
    assert main([*files, "gone.png"]) == 2
    assert "gone.png" in capsys.readouterr().err


def test_the_settings_of_each_kind_are_those_of_the_command():
    from stvit_video.detections.draw_objects import OF_MAPS
    from stvit_video.predictions.draw_files import OF_LABELS
    from stvit_video.predictions.label_output import OF_PICTURES

    known = {setting.name for setting in COMMAND.settings}
    assert {*OF_LABELS, *OF_PICTURES} <= known
    assert {*OF_MAPS} < {*OF_PICTURES}
    assert not {*OF_LABELS} & {*OF_PICTURES}
    assert known - {*OF_LABELS, *OF_PICTURES} == {
        *("ckpt_path", "device", "out", "threshold", "short_side", "batch_size"),
        *("bundle", "num_threads"),  # in place of a checkpoint
    }


def test_a_result_is_the_same_for_pixels_of_the_file(files, tmp_path, tiny_detector):
    import stvit_video

    assert main([*files, "photo.png", "out=seen"]) == 0
    found = json.loads((tmp_path / "seen" / "photo.json").read_text())["detections"]
    expected = stvit_video.load(tiny_detector.checkpoint, device="cpu")("photo.png")
    assert len(found) == len(expected["scores"])
    np.testing.assert_allclose([one["score"] for one in found], expected["scores"], atol=1e-3)
