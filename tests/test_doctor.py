"""doctor: as a command on class folders and CSVs, clear errors, and the environment report's exit code."""

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_maker import DOCUMENT, LONE, SMALL, document, read_part, write_coco
from commands import RunCommand
from hydra import compose, initialize_config_dir
from map_maker import labels_of, map_settings, write_map, write_maps
from omegaconf import OmegaConf
from picture_maker import write_picture

from stvit_video import doctor as module
from stvit_video.data.curation.examine import Examination
from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.doctor import describe_boxes, doctor, list_parts, main_environment
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.paths import CONF_DIR


def run_afresh(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stvit_video.doctor", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def write_folders(root: Path) -> None:
    """Two classes, train and val; one file is broken and one of train is in val too."""
    for number, name in enumerate(["train/run/a.mp4", "train/sit/b, c.mp4", "val/run/d.mp4", "val/sit/e.mp4"]):
        (root / name).parent.mkdir(parents=True)
        texture = np.random.default_rng(number).integers(40, 220, (4, 6, 3), dtype=np.uint8)
        texture = np.repeat(np.repeat(texture, 10, 0), 10, 1)  # (40, 60, 3), of large squares that survive encoding
        frames = np.stack([np.roll(texture, shift, axis=1) for shift in range(25)])
        encode_video(root / name, frames, fps=10)
    (root / "val/run/copy of a.mp4").write_bytes((root / "train/run/a.mp4").read_bytes())
    (root / "train/sit/broken.mp4").write_bytes(b"no video" * 100)


def test_command_on_class_folders(tmp_path: Path) -> None:
    write_folders(tmp_path / "my videos")
    arguments = ("data=folder", "data.root='my videos'", "num_workers=1", "num_measured=1", "short_side=32")
    done = run_afresh(tmp_path, *arguments, "hydra.run.dir=out")
    assert done.returncode == 0, done.stderr
    assert "6 files are listed (3 train, 3 val): 5 are good, 1 are not" in done.stdout
    assert "1 videos are in train and in val, byte by byte" in done.stdout
    assert "preparing, measured on 1 of your videos: a clip takes " in done.stdout
    quarantine = tmp_path / "out" / "quarantine.csv"
    assert f"train without the bad ones: data.quarantine={quarantine}" in done.stdout
    with quarantine.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == str(tmp_path / "my videos/train/sit/broken.mp4")
    assert "it is not a video that ffmpeg can open" in row["reason"]
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frames"] for row in rows] == ["25", "25", "", "25", "25", "25"]
    assert {row["gop_frames"] for row in rows} == {"12", ""}


def test_a_wrong_command_ends_in_a_sentence(run_command: RunCommand, tmp_path: Path, tiny_run: Any) -> None:
    done = run_command("stvit_video.doctor", "data=csv", f"data.train='{tiny_run.manifest}'", cwd=tmp_path)
    assert done.returncode == 2
    # the whole sentence, once for its family
    assert done.stderr == "error: there is no data.val to scan; give data.val=val.csv, or parts=[train]\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": "few"}, "frames='few' .*all, some"),
        ({"num_measured": -1}, "num_measured=-1 .*at least 0"),
        ({"gop": 0}, "gop=0 .*at least 1"),
        ({"time_limit_seconds": 0}, "time_limit_seconds=0 .*above 0"),
        ({"max_distance_bits": 99}, "max_distance_bits=99 .*at least 0 and at most 64"),
        ({"parts": "train"}, "parts='train' .*list of words out of train, val"),
        ({"part": ["train"]}, r"part is no setting; did you mean parts\?"),
    ],
)
def test_settings_out_of_range(tmp_path: Path, tiny_run: Any, changes: dict[str, Any], message: str) -> None:
    data = {"source": "csv", "train": str(tiny_run.manifest), "num_frames": 4, "frame_stride": 2}
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        settings: Any = OmegaConf.to_container(compose("doctor"), resolve=False)
    settings |= {"parts": ["train"], "data": data, **changes}
    with pytest.raises(ValueError, match=message):
        doctor(settings, output_dir=tmp_path)


@pytest.mark.parametrize("parts", [[], ["val", "val"]])
def test_parts_that_are_none(parts: Any) -> None:
    with pytest.raises(ValueError, match=rf"parts={re.escape(repr(parts))} .*\[train,val\], \[train\] or \[val\]"):
        list_parts(ClipSettings(source="csv"), parts)


def test_missing_kinetics_videos_are_kept_as_faults(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train.csv").write_text("label,youtube_id,time_start,time_end,split\nrun,AAAAAAAAAAA,1,2,train\n")
    data = {"source": "kinetics", "root": str(tmp_path), "missing": "error"}
    manifest = list_parts(ClipSettings.model_validate(data), ["train"])["train"]
    assert [record.video_id for record in manifest.records] == ["AAAAAAAAAAA_000001_000002.mp4"]


@pytest.mark.parametrize(("can_train", "code"), [(True, 0), (False, 1)])
def test_exit_code_of_the_environment(monkeypatch: Any, capsys: Any, can_train: bool, code: int) -> None:
    monkeypatch.setattr(module, "describe_environment", lambda: (["ok       torch: 2"], can_train))
    assert main_environment() == code
    assert capsys.readouterr().out == "ok       torch: 2\n"


def test_annotations_of_pictures_are_checked_and_counted(tmp_path: Path, capsys: Any) -> None:
    root = write_coco(tmp_path / "set")
    (root / "val" / "b.png").write_bytes((root / "train" / "b.png").read_bytes())
    write_picture(root / "train" / "c.png", seed=0, size=(20, 31))
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("doctor", overrides=["data=coco", f"data.root={root}", "num_workers=1"])
    settings: Any = OmegaConf.to_container(config, resolve=True)
    doctor(settings, output_dir=tmp_path / "out")
    printed = capsys.readouterr().out
    assert "6 files are listed (3 train, 3 val): 6 are good" in printed
    assert "1 pictures are in train and in val, byte by byte" in printed
    assert "warning: 1 of 3 val pictures are copies of train pictures" in printed
    assert "train: 3 pictures of 3 sizes" in printed
    assert "apple: 2 train objects in 2 pictures" in printed
    assert "no fault in the annotations" in printed
    assert re.search(r"warning: 1 of 3 train pictures .* another size than is stated, first: .*c.png", printed)
    with (tmp_path / "out" / "classes.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["pear", "apple"]


def test_a_fault_in_the_annotations_is_the_exit_status(run_command: RunCommand, tmp_path: Path) -> None:
    root = write_coco(tmp_path / "set", documents={"val": document(annotations=[])})
    arguments = ("data=coco", f"data.root='{root}'", "num_workers=1", "hydra.run.dir=out")
    done = run_command("stvit_video.doctor", *arguments, cwd=tmp_path)
    assert "fault: none of the 3 val pictures has an object" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    done = run_command("stvit_video.doctor", *arguments, "parts=[train]", cwd=tmp_path)
    assert "no fault in the annotations" in done.stdout
    assert done.returncode == 0


def test_outlines_that_only_masks_need_are_warnings(tmp_path: Path, capsys: Any) -> None:
    rows = [*DOCUMENT["annotations"][:2], SMALL | {"segmentation": None}, LONE | {"segmentation": [[1, 2, 3, 4]]}]
    root = write_coco(tmp_path / "set", documents={"train": document(annotations=rows)})
    listed = {part: read_part(root, part) for part in ("train", "val")}
    assert describe_boxes(listed, Examination({}, {}, (), (), 0), tmp_path) == ()
    printed = capsys.readouterr().out
    assert "no fault in the annotations" in printed
    assert "warning: task=instance refuses this: 1 of 3 train objects have no segmentation" in printed
    assert "warning: task=instance refuses this: 1 of 3 train objects have a segmentation that can't be used" in printed


def test_label_maps_are_read_and_counted(tmp_path: Path, capsys: Any) -> None:
    root = write_maps(tmp_path / "set")
    data = [f"data.{name}={place}" for name, place in map_settings(root).items()]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("doctor", overrides=["data=label_maps", *data, "num_workers=1"])
    settings: Any = OmegaConf.to_container(config, resolve=True)
    assert doctor(settings, output_dir=tmp_path / "out").list_faults == ()
    printed = capsys.readouterr().out
    assert "6 files are listed (3 train, 3 val): 6 are good" in printed
    assert "train: 3 pictures, 3 label maps of 3 sizes" in printed
    assert "of the pixels are not counted; 3 classes occur" in printed
    assert re.search(r"  sky: \d+\.\d+% of the train pixels, in 3 pictures, \d+\.\d+% of the val", printed)
    assert "no fault in the annotations" in printed
    with (tmp_path / "out" / "classes.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["sky", "road", "car"]


def test_a_fault_in_label_maps_is_the_exit_status(run_command: RunCommand, tmp_path: Path) -> None:
    root = write_maps(tmp_path / "set")
    write_map(root / "maps/val/b.png", labels_of((75, 40)) // 9)
    write_map(root / "maps/train/c.png", labels_of((20, 31)))
    write_map(root / "maps/train/d.png", labels_of((20, 31)))
    data = [f"data.{name}='{place}'" for name, place in map_settings(root).items()]
    arguments = ("data=label_maps", *data, "num_workers=1", "hydra.run.dir=out")
    done = run_command("stvit_video.doctor", *arguments, cwd=tmp_path)
    assert "fault: 1 of 4 train label maps have no picture of the same name in " in done.stdout
    assert re.search(r"fault: 1 of 3 train label maps .* another size than their picture, first: .*c.jpg", done.stdout)
    assert "fault: 1 of 3 val label maps that were looked at have values of no class, 28 (" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
