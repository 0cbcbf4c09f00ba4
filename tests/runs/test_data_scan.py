"""The scan of doctor: wrong settings, files that are not there, and what is told of boxes and label maps."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from coco_maker import DOCUMENT, LONE, SMALL, document, read_part, write_coco
from hydra import compose, initialize_config_dir
from map_maker import map_settings, write_maps
from omegaconf import OmegaConf
from picture_maker import write_picture

from stvit_video.data.curation.examine import Examination
from stvit_video.runs.data_scan import describe_boxes, list_parts, scan_data
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.paths import CONF_DIR


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
        scan_data(settings, output_dir=tmp_path)


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


def test_annotations_of_pictures_are_checked_and_counted(tmp_path: Path, capsys: Any) -> None:
    root = write_coco(tmp_path / "set")
    (root / "val" / "b.png").write_bytes((root / "train" / "b.png").read_bytes())
    write_picture(root / "train" / "c.png", seed=0, size=(20, 31))
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("doctor", overrides=["data=coco", f"data.root={root}", "num_workers=1"])
    settings: Any = OmegaConf.to_container(config, resolve=True)
    scan_data(settings, output_dir=tmp_path / "out")
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
    assert scan_data(settings, output_dir=tmp_path / "out").list_faults == ()
    printed = capsys.readouterr().out
    assert "6 files are listed (3 train, 3 val): 6 are good" in printed
    assert "train: 3 pictures, 3 label maps of 3 sizes" in printed
    assert "of the pixels are not counted; 3 classes occur" in printed
    assert re.search(r"  sky: \d+\.\d+% of the train pixels, in 3 pictures, \d+\.\d+% of the val", printed)
    assert "no fault in the annotations" in printed
    with (tmp_path / "out" / "classes.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["sky", "road", "car"]
