"""The files of the embedded data set: written once, whole, the same every time, readable by others."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from stvit_video.data.synthetic import dataset as synthetic
from stvit_video.data.synthetic.dataset import encode_video, known_clips, write_synthetic_dataset
from stvit_video.data.synthetic.drawing import CLASSES, draw_clip

SMALL = {"num_train": 14, "num_val": 5, "image_size": (34, 46), "num_frames": 7, "fps": 9, "seed": 3}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_synthetic_dataset(tmp_path_factory.mktemp("synthetic") / "set", **SMALL)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def decode(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_lists_name_every_file_and_the_folder_is_the_label(dataset):
    for split, num in (("train", 14), ("val", 5)):
        with (dataset / f"{split}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == num
        assert [Path(row["path"]).parts[:2] for row in rows] == [(split, row["label"]) for row in rows]
        on_disk = {str(p.relative_to(dataset)) for p in (dataset / split).rglob("*.mp4")}
        assert on_disk == {row["path"] for row in rows}
        counts = [sum(row["label"] == name for row in rows) for name in CLASSES]
        assert max(counts) - min(counts) <= 1
    assert sorted(p.name for p in dataset.iterdir()) == [
        ".lock", "dataset.json", "train", "train.csv", "val", "val.csv"
    ]  # fmt: skip


def test_settings_are_written_down(dataset):
    settings = json.loads((dataset / "dataset.json").read_text())
    assert settings == {
        **SMALL, "image_size": [34, 46], "classes": list(CLASSES), "format": synthetic.FORMAT_VERSION
    }  # fmt: skip


def test_files_are_plain_h264_that_starts_at_zero_and_shows_the_drawing(dataset):
    path = dataset / "train/move_down/train_00000.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.format.name) == ("h264", "yuv420p")
        assert (stream.average_rate, stream.frames) == (9, 7)
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert [p.pts for p in packets] == [p.dts for p in packets] == sorted(p.pts for p in packets)
        assert packets[0].pts == 0
    frames = decode(path)
    drawn = draw_clip("move_down", rng=np.random.default_rng([3, 0, 0]), num_frames=7, height=34, width=46)
    assert frames.shape == drawn.shape
    error = np.abs(frames.astype(float) - drawn)
    assert error.mean() < 9  # half of the colour resolution and some detail are lost
    assert error.mean() < np.abs(frames.astype(float) - drawn[::-1]).mean() - 2


def test_a_key_frame_comes_every_12_frames(tmp_path):
    frames = draw_clip("pulse", rng=np.random.default_rng(1), num_frames=29, height=34, width=46)
    encode_video(tmp_path / "x.mp4", frames, fps=25)
    with av.open(str(tmp_path / "x.mp4")) as container:
        keys = [i for i, packet in enumerate(p for p in container.demux(video=0) if p.size) if packet.is_keyframe]
    assert keys[0] == 0
    assert max(np.diff([*keys, 29])) <= 12


def test_made_again_it_has_the_same_bytes_whatever_the_threads(dataset, tmp_path):
    again = write_synthetic_dataset(tmp_path / "again", **SMALL, num_workers=1)
    assert contents(again) == contents(dataset)


def test_another_seed_and_the_other_split_share_no_clip(dataset, tmp_path):
    other = write_synthetic_dataset(tmp_path / "other", **{**SMALL, "seed": 4})
    clips = [data for root in (dataset, other) for name, data in contents(root).items() if name.endswith("mp4")]
    assert len(set(clips)) == len(clips) == 2 * 19


def test_a_larger_set_begins_with_the_smaller_one(dataset, tmp_path):
    larger = write_synthetic_dataset(tmp_path / "larger", **{**SMALL, "num_train": 16})
    small, large = contents(dataset), contents(larger)
    assert all(large[name] == data for name, data in small.items() if name.endswith("mp4"))


def test_a_second_call_writes_nothing(dataset, monkeypatch):
    monkeypatch.setattr(synthetic, "_write_clip", None)
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    assert write_synthetic_dataset(dataset, **SMALL) == dataset
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*")} == before


def test_other_settings_replace_the_set(tmp_path):
    root = write_synthetic_dataset(tmp_path / "set", **SMALL)
    fewer = {**SMALL, "num_train": 3, "num_frames": 4}
    write_synthetic_dataset(root, **fewer)
    assert contents(root) == contents(write_synthetic_dataset(tmp_path / "fresh", **fewer))


def test_a_lost_clip_is_made_again(dataset, tmp_path):
    root = write_synthetic_dataset(tmp_path / "set", **SMALL)
    (root / "val/move_left/val_00003.mp4").unlink()
    (root / "train.csv").unlink()
    assert contents(write_synthetic_dataset(root, **SMALL)) == contents(dataset)


KILLED = """
import os, sys
from stvit_video.data.synthetic import dataset as synthetic
real, written = synthetic.encode_video, []
def encode(path, frames, *, fps):
    if len(written) == 6:
        open(path, "wb").write(b"half a clip")
        os._exit(9)
    real(path, frames, fps=fps)
    written.append(path)
synthetic.encode_video = encode
synthetic.write_synthetic_dataset(
    sys.argv[1], num_train=14, num_val=5, image_size=(34, 46), num_frames=7, fps=9, seed=3, num_workers=1
)
"""


def test_a_killed_run_is_finished_and_keeps_what_it_had(dataset, tmp_path, monkeypatch):
    root = tmp_path / "set"
    run = subprocess.run([sys.executable, "-c", KILLED, str(root)], capture_output=True, check=False)
    assert run.returncode == 9, run.stderr.decode()
    assert not (root / "dataset.json").exists()
    kept = list(root.glob("t*/*/*.mp4"))
    assert len(kept) == 6
    written = []
    real = synthetic.encode_video
    monkeypatch.setattr(synthetic, "encode_video", lambda path, *a, **k: (written.append(path), real(path, *a, **k)))
    assert contents(write_synthetic_dataset(root, **SMALL)) == contents(dataset)
    assert len(written) == 19 - 6


def test_a_failing_clip_stops_at_once_with_its_error(tmp_path, monkeypatch):
    written = []

    def fail(path, frames, *, fps):
        written.append(path)
        raise OSError("no space left on device")

    monkeypatch.setattr(synthetic, "encode_video", fail)
    with pytest.raises(OSError, match="no space left on device"):
        write_synthetic_dataset(tmp_path / "set", **{**SMALL, "num_train": 60})
    assert len(written) < 30


def test_a_folder_with_other_things_is_refused_and_untouched(tmp_path):
    (tmp_path / "thesis.tex").write_text("ten years of work")
    # the whole sentence, once for its family
    whole = (
        rf"^{re.escape(str(tmp_path))} holds thesis\.tex but neither dataset\.json nor building\.json, so it is not an "
        "embedded data set; give another folder or empty this one$"
    )
    with pytest.raises(ValueError, match=whole):
        write_synthetic_dataset(tmp_path, **SMALL)
    assert contents(tmp_path) == {"thesis.tex": b"ten years of work"}
    with pytest.raises(ValueError, match=r"thesis\.tex is a file\b"):
        write_synthetic_dataset(tmp_path / "thesis.tex", **SMALL)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        # the whole sentence, once for its family
        (
            {"image_size": (35, 46)},
            r"^image_size is \(35, 46\); height and width must be even and 32 at least$",
        ),
        ({"image_size": (34, 30)}, r"image_size .*\(34, 30\).* even .*\b32\b"),
        ({"num_train": 0}, r"num_train .*\b0;.*\b1 or more"),
        ({"num_frames": 1}, r"num_frames .*\b1;.*\b2 or more"),
        ({"seed": -1}, r"seed .*-1;.*\b0 or more"),
        ({"num_workers": 0}, r"num_workers .*\b0;.*\b1 or more"),
    ],
)
def test_a_setting_out_of_range_is_named(tmp_path, change, text):
    with pytest.raises(ValueError, match=text):
        write_synthetic_dataset(tmp_path / "set", **{**SMALL, **change})
    assert not (tmp_path / "set").exists()


def test_single_decoded_frames_are_at_chance(tmp_path):
    """Once more on what the files hold, since an encoder may leave traces of motion in a frame."""
    settings = {**SMALL, "num_train": 480, "num_val": 1, "image_size": (32, 36), "num_frames": 5}
    root = write_synthetic_dataset(tmp_path / "set", **settings)
    with (root / "train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([CLASSES.index(row["label"]) for row in rows])
    frames = np.stack([decode(root / row["path"])[2] for row in rows]).astype(np.float64)  # (480, H, W, 3)
    cells = frames.reshape(480, 8, 4, 9, 4, 3)
    features = np.concatenate([cells.mean(axis=(2, 4)), cells.std(axis=(2, 4))], axis=-1).reshape(480, -1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    half = 240
    targets = np.eye(len(CLASSES))[labels[:half]]
    gram = features[:half] @ features[:half].T + 50.0 * np.eye(half)  # ridge regression on one-hot labels
    scores = features[half:] @ features[:half].T @ np.linalg.solve(gram, targets)
    accuracy = (scores.argmax(1) == labels[half:]).mean()
    assert accuracy < 1 / 12 + 3.3 * np.sqrt(11 / 144 / half)


def test_known_clips_are_what_the_files_show(dataset):
    clips = list(known_clips(dataset, split="val", rng=np.random.default_rng(0)))
    assert sorted(clip.path for clip in clips) == sorted((dataset / "val").rglob("*.mp4"))
    assert [clip.path for clip in clips] != sorted(clip.path for clip in clips)
    for clip, other in zip(clips, [*clips[1:], clips[0]], strict=True):
        frames = decode(clip.path).astype(float)
        assert (clip.class_name, clip.fps) == (clip.path.parent.name, SMALL["fps"])
        assert np.abs(frames - clip.drawn.frames).mean() < 8 < np.abs(frames - other.drawn.frames).mean()


def test_a_folder_without_known_clips_is_refused(dataset, tmp_path):
    with pytest.raises(ValueError, match=r"no dataset\.json"):
        next(known_clips(tmp_path, split="val", rng=np.random.default_rng(0)))
    stored = json.loads((dataset / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(stored | {"format": 0}))
    with pytest.raises(ValueError, match="another version"):
        next(known_clips(tmp_path, split="val", rng=np.random.default_rng(0)))
