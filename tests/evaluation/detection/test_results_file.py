"""detections.json: whoever scores it gets our numbers."""

import json

import pytest
from detection_maker import CLASSES, coco_file, pycocotools_evaluation, random_set

from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.results_file import write_detections

IDS = [90, 7, 8, 3, 1]  # with gaps, and not in the order of the labels


def odd_detections(seed):
    """Boxes that lie between pixels, and scores of many digits."""
    truth, detections = random_set(seed)
    for picture in detections:
        picture["boxes"] = picture["boxes"] + 1 / 3
        picture["scores"] = picture["scores"] / 3
    return truth, detections


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_pycocotools_reads_the_file_and_gives_the_same_numbers(tmp_path, iou_type):
    truth, detections = odd_detections(0)
    results = DetectionResults(truth, classes=CLASSES)
    results.add([picture["picture_id"] for picture in detections], detections)
    path = tmp_path / "detections.json"
    count = write_detections(path, results.detections.values(), category_ids=IDS)
    entries = json.loads(path.read_text())
    assert count == len(entries) == sum(len(picture["labels"]) for picture in detections)
    if iou_type == "segm":
        for entry in entries:
            del entry["bbox"]
    file = coco_file(truth, category_ids=IDS)
    expected = pycocotools_evaluation(file, entries, iou_type=iou_type)
    found = [-1 if value is None else value for value in results.scores(iou_type).values.values()]
    assert found == pytest.approx(expected.stats, abs=1e-12)


def test_entries_have_the_form_of_coco(tmp_path):
    results = DetectionResults([{"picture_id": "b/a.jpg", "boxes": [], "labels": []}], classes=["a", "b"])
    found = {"boxes": [[1 / 3, 2, 4, 8.666], [0, 0, 5, 5]], "labels": [1, 0], "scores": [0.1234567, 0.5]}
    results.add(["b/a.jpg"], [found])
    path = tmp_path / "detections.json"
    write_detections(path, results.detections.values(), category_ids=[5, 11])
    assert json.loads(path.read_text()) == [
        {"image_id": "b/a.jpg", "category_id": 5, "bbox": [0, 0, 5, 5], "score": 0.5},
        {"image_id": "b/a.jpg", "category_id": 11, "bbox": [0.33, 2.0, 3.67, 6.67], "score": 0.123457},
    ]
    assert len(path.read_text().splitlines()) == 4  # one detection a line


def test_without_detections_it_is_an_empty_list_and_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "detections.json"
    path.write_text("old")
    assert write_detections(path, [], category_ids=[1]) == 0
    assert json.loads(path.read_text()) == []
    assert [file.name for file in tmp_path.iterdir()] == ["detections.json"]
