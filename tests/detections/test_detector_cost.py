import pytest

from stvit_video.detections.detector_cost import detector_cost, measure_detector_speed
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.evaluation.cost.measure import count_gmacs


@pytest.fixture(scope="module")
def detector(tiny_detector):
    return load_trained_detector(tiny_detector.checkpoint, device="cpu", long_side=70)


def test_a_picture_of_the_given_size_is_counted(detector):
    cost = detector_cost(detector, picture_size=(64, 96))
    assert cost["picture_size"] == [64, 96]
    assert cost["gmacs_backbone"] == pytest.approx(count_gmacs(detector.model.backbone, (3, 64, 96)))
    assert cost["gmacs_detector"] > 1.5 * cost["gmacs_backbone"]
    assert cost["num_parameters"] == sum(one.numel() for one in detector.model.parameters())
    assert cost["inference_pictures_per_second"] > 0


def test_the_speed_is_a_median_of_runs_behind_a_first_one(detector, monkeypatch):
    times = iter([0.0, 9.0, 10.0, 10.5, 11.0, 11.25, 12.0, 14.0])
    monkeypatch.setattr("stvit_video.inference.dense_cost.time.perf_counter", lambda: next(times))
    assert measure_detector_speed(detector, picture_size=(32, 64)) == 2.0
