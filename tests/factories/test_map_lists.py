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
    write_map(root / "maps/train/b.png", labels_of(SIZES["c"]))
    assert len(build_maps(data_of(root, quarantine=str(root / "bad.csv")))[0].records) == 2
    with pytest.raises(ManifestError, match="1 of 3 train label maps .* another size than their picture"):
        build_maps(data_of(root))


def test_warnings_go_to_the_log_and_all_faults_into_one_error(root, caplog):
    shutil.copy(root / "images/train/a.jpg", root / "images/val/a.jpg")
    with caplog.at_level(logging.WARNING):
        build_maps(data_of(root))
    assert "1 of 3 val pictures are copies of train pictures" in caplog.text
    for part in ("train", "val"):
        write_map(root / f"maps/{part}/a.png", np.full(SIZES["a"], 9, dtype=np.uint8))
    (root / "images/train/lone.jpg").touch()
    (root / "maps/val/lone.png").touch()
    faults = (
        r"4 fault(.|\n)*1 of 4 train pictures have no label map(.|\n)*train label maps .*no class, 9"
        r"(.|\n)*1 of 4 val label maps have no picture(.|\n)*val label maps"
    )
    with pytest.raises(ManifestError, match=faults):
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
    with pytest.raises(ValueError, match=r"give pictures with maps: data.source=ade, data.source="):
        read_maps({"source": "coco", "root": str(root)}, ("val",), classes=CLASSES)


def test_classes_of_a_checkpoint_are_held_to(root):
    assert read_maps(data_of(root), ("val",), classes=CLASSES)["val"].classes == CLASSES
    with pytest.raises(ManifestError, match=r"the classes of .*model alone has 'fig'.*data.keep_classes as the model"):
        read_maps(data_of(root), ("val",), classes=("sky", "road", "fig"))
    (root / "images/val/lone.jpg").touch()
    with pytest.raises(ManifestError, match="1 of 4 val pictures have no label map"):
        read_maps(data_of(root), ("val",), classes=CLASSES)


def test_classes_of_a_checkpoint_name_the_values_where_nothing_else_does(root):
    names = ("car", "sky", "road")  # in another order than those of the file

    def read(**settings):
        return read_maps(data_of(root, **settings), ("val",), classes=names)["val"]

    with pytest.raises(ManifestError, match="another order"):
        read()
    (root / "classes.txt").unlink()
    assert (read().classes, read().rules.labels) == (names, {0: 0, 1: 1, 2: 2})
    assert read(reduce_zero_label=True).rules.labels == {0: 255, 1: 0, 2: 1, 3: 2}
    assert read(values=[7, 9, 8]).rules.labels == {7: 0, 9: 1, 8: 2}
    with pytest.raises(ManifestError, match=r"data.classes=FILE: .* that data.keep_classes chose"):
        read(keep_classes=["car"])
    with pytest.raises(ManifestError, match="nothing names the classes of the label maps; put classes.txt"):
        read_maps(data_of(root), ("val",))


def test_numbers_of_classes_in_the_layout_of_ade20k_are_never_guessed(root):
    for kind, folder in (("images", "images"), ("maps", "annotations")):
        (root / folder).mkdir(exist_ok=True)
        (root / kind / "val").rename(root / folder / "validation")
    data = {"source": "ade", "root": str(root)}
    assert read_maps(data, ("val",), classes=CLASSES)["val"].classes == CLASSES
    (root / "classes.txt").unlink()
    with pytest.raises(ManifestError, match="begin with 0 or 1; data.reduce_zero_label=false or true"):
        read_maps(data, ("val",), classes=CLASSES)
    found = read_maps(data | {"reduce_zero_label": False}, ("val",), classes=CLASSES)["val"]
    assert found.rules.labels == {0: 0, 1: 1, 2: 2}


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
