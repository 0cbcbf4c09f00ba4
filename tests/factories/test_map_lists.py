import csv
import logging
import shutil

import numpy as np
import pytest
from map_maker import CLASSES, PALETTE, SIZES, coloured, labels_of, map_settings, write_map, write_maps
from picture_maker import pack
from real_data import real_file

from stvit_video.data.loading.map_options import map_options
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.factories.map_lists import build_maps, find_map_options, map_findings, read_maps


def data_of(root, **more):
    return {"source": "label_maps", "quarantine": None, **map_settings(root), **more}


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path / "set")


def test_both_parts_are_read_with_the_classes_that_are_chosen(root):
    train, val = build_maps(data_of(root))
    assert train.classes == val.classes == CLASSES
    assert (len(train.records), len(val.records)) == (3, 3)
    train, val = build_maps(data_of(root, keep_classes=["car", {"ground": ["road", "sky"]}]))
    assert train.classes == val.classes == ("car", "ground")
    assert set(np.unique(val.read_map(0))) <= {0, 1, 255}


def test_relative_paths_may_start_in_a_folder_or_archive(root, tmp_path, monkeypatch):
    short = {key: value.removeprefix(f"{root}/") for key, value in data_of(root).items() if isinstance(value, str)}
    for place in (root, pack(root, tmp_path / "set.zip")):
        found = read_maps(short | {"root": str(place), "classes": "classes.txt"}, ("train", "val"))
        assert [len(pictures.records) for pictures in found.values()] == [3, 3]
    monkeypatch.chdir(root)
    assert len(read_maps(short | {"root": None, "classes": "classes.txt"}, ("val",))["val"].records) == 3


def test_settings_of_maps_have_defaults(root):
    assert find_map_options({"source": "ade"}) == map_options()
    assert find_map_options({"size_divisor": 1, "batch_size": 3}).size_divisor == 1


def test_maps_with_colours_are_read_with_a_palette(root):
    for part in ("train", "val"):
        for number, (name, size) in enumerate(SIZES.items()):
            write_map(root / "maps" / part / f"{name}.png", coloured(labels_of(size, number)))
    with pytest.raises(ManifestError, match=r"data=label_maps is not usable, 2 fault(.|\n)*data.palette=FILE"):
        build_maps(data_of(root))
    lines = [f"{name} {' '.join(map(str, colour))}" for name, colour in PALETTE.items()]
    (root / "palette.txt").write_text("\n".join([*lines, "0 0 0"]))
    train, _ = build_maps(data_of(root, palette=str(root / "palette.txt")))
    np.testing.assert_array_equal(train.read_map(1), labels_of(SIZES["b"], 1))


def test_what_is_in_quarantine_is_left_out_of_training(root):
    (root / "bad.csv").write_text(f"path,reason\n{root / 'images/train/b.jpg'},dark\n")
    train, val = build_maps(data_of(root, quarantine=str(root / "bad.csv")))
    assert [record.picture_id for record in train.pictures] == ["a", "c"]
    np.testing.assert_array_equal(train.read_map(1), labels_of(SIZES["c"], 2))
    assert len(val.records) == 3


def test_warnings_go_to_the_log_and_all_faults_into_one_error(root, caplog):
    shutil.copy(root / "images/train/a.jpg", root / "images/val/a.jpg")
    (root / "images/train/lone.jpg").touch()
    with caplog.at_level(logging.WARNING):
        build_maps(data_of(root))
    assert "train: 1 train pictures have no label map" in caplog.text
    assert "1 of 3 val pictures are copies of train pictures" in caplog.text
    for part in ("train", "val"):
        write_map(root / f"maps/{part}/a.png", np.full(SIZES["a"], 9, dtype=np.uint8))
    with pytest.raises(ManifestError, match=r"2 fault(.|\n)*train label maps .*no class, 9(.|\n)*val label maps"):
        build_maps(data_of(root))


def test_findings_come_with_what_the_maps_hold(root):
    both = read_maps(data_of(root), ("train", "val"))
    counts, found = map_findings(both)
    assert not found.faults
    assert counts["val"].num_read == 3
    same = map_findings({"train": both["train"], "val": both["train"]})[1]
    assert "3 of the 3 val pictures are train pictures, too" in same.warnings[-1]
    assert "the scores say nothing" in same.warnings[-1]


def test_pictures_of_folders_are_frames(root):
    for kind in ("images", "maps"):
        for path in sorted((root / kind / "val").iterdir()):
            (path.parent / "clip").mkdir(exist_ok=True)
            path.rename(path.parent / "clip" / path.name)
    val = read_maps(data_of(root, sequences="folders"), ("val",))["val"]
    assert [(record.sequence, record.frame_place) for record in val.pictures] == [("clip", n) for n in range(3)]


def test_a_layout_without_maps_is_refused(root):
    with pytest.raises(ValueError, match=r"data.source=coco has no label maps.*data=ade, data="):
        read_maps({"source": "coco", "root": str(root)}, ("train",))


def test_classes_of_a_checkpoint_are_held_to(root):
    assert read_maps(data_of(root), ("val",), classes=CLASSES)["val"].classes == CLASSES
    with pytest.raises(ManifestError, match=r"the model alone has 'fig'.*data.keep_classes as the model"):
        read_maps(data_of(root), ("val",), classes=("sky", "road", "fig"))


@pytest.mark.real_data
def test_pixels_of_a_published_set_are_those_of_its_table():
    root = real_file("data", "ccp_semantic")
    both = read_maps({"source": "ade", "root": str(root), "quarantine": None}, ("train", "val"))
    assert [len(pictures.records) for pictures in both.values()] == [804, 200]
    counts, found = map_findings(both)
    assert not found.faults
    pixels = sum(part.labels for part in counts.values())
    pictures = sum(part.pictures for part in counts.values())
    with (root / "objectInfo59.txt").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["Name"] for row in rows] == list(both["train"].classes)
    assert [int(row["Images"]) for row in rows] == pictures.tolist()
    shares = [float(row["PixelRatio"]) for row in rows]
    np.testing.assert_allclose(pixels[:-1] / pixels.sum(), shares, atol=6e-6)
