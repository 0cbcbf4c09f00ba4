"""Detections of an evaluation: each picture once, missing ones with their reason, several processes as one."""

import pytest
import torch
from detection_maker import CLASSES, random_set

from stvit_video.evaluation.detection.coco_scores import coco_scores
from stvit_video.evaluation.detection.detection_results import DetectionResults


def added(results, detections):
    results.add([picture["picture_id"] for picture in detections], detections)
    return results


def test_scores_are_those_of_the_whole_set():
    truth, detections = random_set(0)
    results = DetectionResults(truth, classes=CLASSES)
    added(added(results, detections[:3]), detections[3:])
    for iou_type in ("bbox", "segm"):
        expected = coco_scores(truth, detections, classes=CLASSES, iou_type=iou_type, max_detections=7)
        found = results.scores(iou_type, max_detections=7)
        assert found.values == pytest.approx(expected.values, abs=1e-12)  # scores of n / 12 are rounded
    assert (results.num_used, results.num_listed, results.errors) == (8, 8, {})


def test_missing_pictures_are_in_no_number_and_have_a_reason():
    truth, detections = random_set(1)
    results = added(DetectionResults(truth, classes=CLASSES), detections[2:6])
    results.add_missing(truth[0]["picture_id"], "it is empty")
    assert results.scores().values == pytest.approx(coco_scores(truth[2:6], detections[2:6], classes=CLASSES).values)
    assert results.errors == {12: "it is empty", 3: "was never evaluated"} | {101: "was never evaluated"} | {
        2: "was never evaluated"
    }
    assert list(results.errors) == [12, 3, 101, 2]
    assert (results.num_used, results.num_listed) == (4, 8)


def test_shares_of_processes_make_the_result_of_one(tmp_path):
    truth, detections = random_set(2)
    alone = added(DetectionResults(truth, classes=CLASSES), detections[:7])
    alone.add_missing(2, "broken")
    shares = []
    for part in (detections[1:7:2], detections[0:7:2]):
        worker = added(DetectionResults(truth, classes=CLASSES), part)
        if part[0]["picture_id"] == 12:
            worker.add_missing(2, "broken")
        torch.save(worker.share(), tmp_path / "share.pt")
        shares.append(torch.load(tmp_path / "share.pt", weights_only=True))
    together = DetectionResults(truth, classes=CLASSES)
    for share in shares:
        together.take_share(share)
    for iou_type in ("bbox", "segm"):
        assert together.scores(iou_type).values == alone.scores(iou_type).values
    assert (together.errors, together.num_used) == (alone.errors, 7)
    assert list(together.detections) == list(alone.detections)
    assert [p.stored() for p in together.detections.values()] == [p.stored() for p in alone.detections.values()]


def test_each_picture_comes_once_and_is_listed():
    truth, detections = random_set(3)
    results = added(DetectionResults(truth, classes=CLASSES), detections[:1])
    share = results.share()
    for again in (
        lambda: added(results, detections[:1]),
        lambda: results.add_missing(12, "broken"),
        lambda: results.take_share(share),
    ):
        with pytest.raises(ValueError, match="picture 12 came twice"):
            again()
    with pytest.raises(ValueError, match="picture 99 is none of the 8 pictures"):
        results.add_missing(99, "broken")
    with pytest.raises(ValueError, match="1 of 9 pictures stand twice"):
        DetectionResults([*truth, truth[4]], classes=CLASSES)


def test_masks_are_kept_as_run_lengths():
    truth, detections = random_set(0)
    results = added(DetectionResults(truth, classes=CLASSES), detections)
    for picture in results.detections.values():
        assert all(isinstance(mask["counts"], str) for mask in picture.masks)
