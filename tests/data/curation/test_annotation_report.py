import csv

import pytest
from coco_maker import read_part, write_coco

from stvit_video.data.curation.annotation_report import (
    check_scanned_sizes,
    count_objects,
    describe_annotations,
    write_class_table,
)
from stvit_video.data.curation.scan import VideoReport


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    root = write_coco(tmp_path_factory.mktemp("coco"))
    return {part: read_part(root, part) for part in ("train", "val")}


def test_objects_are_counted_by_class_without_crowds(parts):
    objects, pictures = count_objects(parts["train"])
    assert objects.tolist() == [1, 2]
    assert pictures.tolist() == [1, 2]


def test_the_summary_by_hand(parts):
    lines = describe_annotations(parts)
    assert lines[:3] == [
        "train: 3 pictures of 3 sizes (short side 40 to 60, long side 50 to 91 pixels, most often 91x60: 1 times), 3 "
        "objects, 1.0 a picture (at most 2), 1 pictures without any",
        "  area: 100% small (below 32x32 pixels), 0% medium, 0% large (96x96 or more); median 10 x 10 pixels",
        "  1 crowds or difficult objects: not learned, and not counted in the AP",
    ]
    assert lines[-2:] == [
        "  apple: 2 train objects in 2 pictures, 2 val objects in 2 pictures",
        "  pear: 1 train objects in 1 pictures, 1 val objects in 1 pictures",
    ]
    assert len(describe_annotations({"val": parts["val"]})) == 5


def test_the_table_has_a_row_for_each_class(parts, tmp_path):
    write_class_table(tmp_path / "classes.csv", {"train": parts["train"]})
    with (tmp_path / "classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["class"], row["category_id"], row["train_objects"], row["val_objects"]) for row in rows] == [
        ("pear", "90", "1", ""),
        ("apple", "3", "2", ""),
    ]


def test_sizes_of_a_scan_are_compared(parts):
    reports = {
        record.place: VideoReport(record.place, width=record.stated_size[1], height=record.stated_size[0])
        for record in parts["train"].pictures
    }
    assert not check_scanned_sizes({"train": parts["train"]}, reports).warnings
    first = parts["train"].records[0].place
    reports[first] = VideoReport(first, width=60, height=91)
    reports[parts["train"].records[1].place] = VideoReport("broken", faults=("broken",))
    [warning] = check_scanned_sizes(parts, reports).warnings
    assert "1 of 2 train pictures" in warning
    assert "annotated lying" in warning
