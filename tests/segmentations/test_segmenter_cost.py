import pytest

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.segmentations.segmenter_cost import measure_segmenter_speed, segmenter_cost
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter


@pytest.fixture(scope="module")
def segmenter(tiny_segmenter):
    return load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu")


def test_a_picture_of_the_given_size_is_counted(segmenter):
    cost = segmenter_cost(segmenter, picture_size=(64, 96))
    assert (cost["picture_size"], cost["num_windows"]) == ([64, 96], 1)
    assert cost["gmacs_backbone"] == pytest.approx(count_gmacs(segmenter.model.backbone, (3, 64, 96)))
    assert cost["gmacs_segmenter"] > 1.1 * cost["gmacs_backbone"]
    assert cost["num_parameters"] == sum(one.numel() for one in segmenter.model.parameters())
    assert cost["inference_pictures_per_second"] > 0


def test_windows_cost_as_much_as_all_of_them(tiny_segmenter):
    sliding = load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu", window=64, window_stride=48)
    cost, one = (segmenter_cost(sliding, picture_size=size) for size in ((96, 160), (64, 64)))
    assert (cost["num_windows"], one["num_windows"]) == (2 * 3, 1)
    for name in ("gmacs_backbone", "gmacs_segmenter"):
        assert cost[name] == pytest.approx(6 * one[name])


def test_the_speed_is_that_of_labelled_pictures(segmenter, monkeypatch):
    times = iter([0.0, 9.0, 10.0, 10.5, 11.0, 11.25, 12.0, 14.0])
    monkeypatch.setattr("stvit_video.inference.dense_cost.time.perf_counter", lambda: next(times))
    assert measure_segmenter_speed(segmenter, picture_size=(32, 64)) == pytest.approx(2.0)
