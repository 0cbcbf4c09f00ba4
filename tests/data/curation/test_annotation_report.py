import csv

import pytest
from coco_maker import CROWD, LONE, SMALL, SQUARE, document, read_part, write_coco
from sequence_maker import read_frames, write_frames

from stvit_video.data.curation.annotation_report import (
    check_scanned_copies,
    check_scanned_sizes,
    count_objects,
    describe_annotations,
    write_class_table,
)
from stvit_video.data.curation.duplicates import DuplicateGroup, Listed
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
    assert lines[:4] == [
        "train: 3 pictures of 3 sizes (short side 40 to 60, long side 50 to 91 pixels, most often 91x60: 1 times), 3 "
        "objects, 1.0 a picture (at most 2), 1 pictures without any",
        "  area: 100% small (below 32x32 pixels), 0% medium, 0% large (96x96 or more); median 10 x 10 pixels",
        "  objects with outlines: 3 of 3",
        "  1 crowds or difficult objects: not learned, and not counted in the AP",
    ]
    assert lines[-2:] == [
        "  apple: 2 train objects in 2 pictures, 2 val objects in 2 pictures",
        "  pear: 1 train objects in 1 pictures, 1 val objects in 1 pictures",
    ]
    assert len(describe_annotations({"val": parts["val"]})) == 6


def test_objects_without_outlines_are_counted(tmp_path):
    bare = [SQUARE, CROWD, SMALL, {key: value for key, value in LONE.items() if key != "segmentation"}]
    boxes = [{key: value for key, value in row.items() if key != "segmentation"} for row in bare]
    root = write_coco(tmp_path, documents={"train": document(annotations=bare), "val": document(annotations=boxes)})
    lines = describe_annotations({part: read_part(root, part) for part in ("train", "val")})
    assert [line for line in lines if "outlines" in line] == [
        "  objects with outlines: 2 of 3; task=instance needs them",
        "  objects with outlines: 0 of 3; task=instance needs them",
    ]


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
    assert "width and height are exchanged" in warning


def test_copies_of_a_scan_are_told(parts):
    first = [parts[part].records[0].place for part in ("train", "val")]
    leak = DuplicateGroup("exact", (Listed(first[0], "train", ""), Listed(first[1], "val", "")))
    inside = DuplicateGroup("exact", tuple(Listed(record.place, "val", "") for record in parts["val"].records))
    [warning] = check_scanned_copies(parts, [leak, inside]).warnings
    assert warning.startswith("1 of 3 val pictures are copies of train pictures, first: a.png")
    assert not check_scanned_copies(parts, [inside]).warnings
    same = {"train": parts["train"], "val": parts["train"]}  # which check_parts tells
    listed = DuplicateGroup("exact", (Listed(first[0], "train", ""), Listed(first[0], "val", "")))
    assert not check_scanned_copies(same, [listed]).warnings
    assert not check_scanned_copies({"val": parts["val"]}, [leak]).warnings


def test_frames_of_videos_are_counted(tmp_path):
    lines = describe_annotations({"val": read_frames(write_frames(tmp_path))})
    assert "  15 of 16 pictures are frames of 3 videos, 3 to 7 frames each" in lines
