"""The result line, result.json's values and the table of classes."""

import csv
import json

import pytest
from detection_maker import CLASSES, random_set

from stvit_video.evaluation.detection.coco_scores import coco_scores
from stvit_video.evaluation.detection.detection_tables import (
    describe_protocol,
    result_line,
    scores_for_json,
    write_per_class,
)


def scores(*iou_types, seed=0):
    truth, detections = random_set(seed)
    return {kind: coco_scores(truth, detections, classes=CLASSES, iou_type=kind) for kind in iou_types}


def test_the_protocol_names_all_that_an_ap_depends_on():
    settings = {"long_side": 1333, "short_side": 800, "max_detections": 100}
    line = describe_protocol(**settings, score_threshold=0.05, nms_threshold=0.5, num_used=71, num_listed=72)
    assert line == "1333x800, 100 detections, score .05, NMS .5, 71 of 72 pictures"
    line = describe_protocol(**settings, score_threshold=0, nms_threshold=1.0, num_used=2, num_listed=2)
    assert line == "1333x800, 100 detections, score 0, NMS 1, 2 of 2 pictures"
    shared = {"score_threshold": 0.05, "nms_threshold": 0.5, "num_used": 2, "num_listed": 2, "key_frames": "x y"}
    assert (
        describe_protocol(**settings, **shared) == "1333x800, 100 detections, score .05, NMS .5, x y, 2 of 2 pictures"
    )


def test_the_line_tells_boxes_from_masks_only_where_there_are_both():
    found = scores("bbox", "segm")
    box, mask = (found[kind].values["AP"] for kind in ("bbox", "segm"))
    one = result_line({"bbox": found["bbox"]}, protocol="1333x800")
    assert one.startswith(f"AP {box:.3f}  AP50 ")
    assert one.endswith("  (1333x800)")
    both = result_line(found, protocol="x")
    assert both.startswith(f"box AP {box:.3f}  AP50 ")
    assert f"; mask AP {mask:.3f}  AP50 " in both
    nothing = coco_scores([{"picture_id": 1, "boxes": [], "labels": []}], [], classes=["a"])
    assert result_line({"bbox": nothing}, protocol="x").startswith("AP -  AP50 -  ")


def test_json_has_null_where_there_is_no_object_and_the_main_values_without_prefix():
    found = scores("bbox", "segm")
    values = json.loads(json.dumps(scores_for_json(found)))
    assert values["AP"] == found["segm"].values["AP"]
    assert values["box_AP"] == found["bbox"].values["AP"]
    assert values["per_class"]["no object"] == {"AP": None, "AP50": None, "AP75": None, "AR": None}
    assert list(values["box_per_class"]) == list(CLASSES)
    boxes = scores_for_json({"bbox": found["bbox"]})
    assert boxes["AP"] == found["bbox"].values["AP"]
    assert not [name for name in boxes if name.startswith("box_")]


def test_the_table_has_a_row_a_class_with_the_ids_of_the_file(tmp_path):
    found = scores("bbox", "segm")
    write_per_class(tmp_path / "per_class.csv", found, category_ids=[90, 7, 8, 3, 1])
    with (tmp_path / "per_class.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == list(CLASSES)
    assert [row["category_id"] for row in rows] == ["90", "7", "8", "3", "1"]
    cell, _, without, *_ = rows
    assert float(cell["mask_AP50"]) == pytest.approx(found["segm"].per_class[0].values["AP50"], abs=1e-6)
    assert float(cell["box_AR"]) == pytest.approx(found["bbox"].per_class[0].values["AR"], abs=1e-6)
    assert int(cell["objects"]) == found["bbox"].per_class[0].num_objects > 0
    assert (without["objects"], without["box_AP"], without["mask_AP"]) == ("0", "", "")
    with pytest.raises(ValueError, match="one for each of 5 classes, got 2"):
        write_per_class(tmp_path / "x.csv", found, category_ids=[1, 2])
