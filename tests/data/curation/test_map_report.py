import csv

import numpy as np
import pytest
from map_maker import SIZES, read_part, write_maps

from stvit_video.data.curation.map_report import describe_label_maps, write_map_classes
from stvit_video.data.loading.map_checks import count_maps


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    root = write_maps(tmp_path_factory.mktemp("maps"))
    return {part: read_part(root, part) for part in ("train", "val")}


@pytest.fixture(scope="module")
def counts(parts):
    return {part: count_maps(pictures, part)[0] for part, pictures in parts.items()}


def by_hand(pictures):
    """Pixels of each class and of none, and pictures with each class."""
    maps = [pictures.read_map(index) for index in range(len(pictures.records))]
    pixels = [sum(int((labels == label).sum()) for labels in maps) for label in (0, 1, 2, 255)]
    return np.array(pixels), [sum(bool((labels == label).any()) for labels in maps) for label in (0, 1, 2)]


def test_the_summary_by_hand(parts, counts):
    lines = describe_label_maps(parts, counts)
    pixels, shown = by_hand(parts["train"])
    others, theirs = by_hand(parts["val"])
    assert lines[:2] == [
        "train: 3 pictures, 3 label maps of 3 sizes (short side 40 to 60, long side 50 to 91 pixels, most often 91x60: "
        "1 times), 3 classes",
        f"  {pixels[3] / sum(h * w for h, w in SIZES.values()):.1%} of the pixels are not counted; 3 classes occur",
    ]
    assert len(lines) == 7
    shares = pixels[:3] / pixels[:3].sum(), others[:3] / others[:3].sum()
    assert (
        f"  road: {shares[0][1]:.2%} of the train pixels, in {shown[1]} pictures, {shares[1][1]:.2%} of the val "
        f"pixels, in {theirs[1]} pictures"
    ) in lines
    assert len(describe_label_maps({"val": parts["val"]}, {"val": counts["val"]})) == 5


def test_the_table_has_a_row_for_each_class(parts, counts, tmp_path):
    write_map_classes(tmp_path / "classes.csv", parts["val"].classes, {"val": counts["val"]})
    with (tmp_path / "classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pixels, shown = by_hand(parts["val"])
    assert [(row["class"], row["label"], int(row["val_pixels"]), int(row["val_pictures"])) for row in rows] == [
        (name, str(label), pixels[label], shown[label]) for label, name in enumerate(("sky", "road", "car"))
    ]
    assert sum(float(row["val_share"]) for row in rows) == pytest.approx(1, abs=1e-6)
    assert {row["train_pixels"] for row in rows} == {""}
