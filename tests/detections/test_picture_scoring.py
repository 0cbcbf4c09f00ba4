import pytest

from stvit_video.data.layouts.coco import find_coco
from stvit_video.data.loading.true_objects import true_objects
from stvit_video.detections.picture_scoring import evaluate_pictures
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.evaluation.detection.detection_results import DetectionResults


@pytest.fixture(scope="module")
def detector(tiny_detector):
    return load_trained_detector(tiny_detector.checkpoint, device="cpu", score_threshold=0.01)


@pytest.fixture(scope="module")
def pictures(tiny_detector):
    return find_coco("val", known_classes=None, root=str(tiny_detector.root))()


def scored(detector, pictures, **settings):
    results = DetectionResults(true_objects(pictures, masks=False), classes=detector.classes)
    evaluate_pictures(detector, pictures, results, **settings)
    return results


def test_every_picture_once_in_batches_of_any_size(detector, pictures):
    alone, together = (scored(detector, pictures, batch_size=size) for size in (1, 3))
    assert (alone.num_used, alone.num_listed, dict(alone.errors)) == (5, 5, {})
    scores = [one.scores("bbox", max_detections=100).values for one in (alone, together)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert scores[0]["AR"] > 0
    assert sum(len(one.scores) for one in alone.detections.values()) == sum(
        len(one.scores) for one in together.detections.values()
    )


def test_one_of_two_processes_has_its_share(detector, pictures, monkeypatch):
    alone, shares = scored(detector, pictures), []
    for rank in (0, 1):
        monkeypatch.setattr("stvit_video.inference.picture_evaluation.rank_and_world_size", lambda rank=rank: (rank, 2))
        shares.append(scored(detector, pictures).share())
    whole = DetectionResults(true_objects(pictures, masks=False), classes=detector.classes)
    for share in shares:
        whole.take_share(share)
    assert whole.num_used == 5
    found, expected = (one.scores("bbox", max_detections=100).values for one in (whole, alone))
    assert found == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "8"}, "precision='8' .*32, "),
        ({"batch_size": 0}, "batch_size=0"),
        ({"num_workers": -1}, "num_workers=-1"),
    ],
)
def test_settings_out_of_range(detector, pictures, settings, message):
    with pytest.raises(ValueError, match=message):
        scored(detector, pictures, **settings)


def test_half_precision_finds_the_same(detector, pictures):
    full, half = (scored(detector, pictures, batch_size=5, precision=one) for one in ("32", "bf16"))
    recall = [one.scores("bbox", max_detections=100).values["AR"] for one in (full, half)]
    assert recall[1] == pytest.approx(recall[0], abs=0.1)
