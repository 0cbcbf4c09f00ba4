import numpy as np
import pytest

from stvit_video.evaluation.segmentation.confusion import add_to_confusion, empty_confusion
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.factories.map_lists import read_maps
from stvit_video.inference import picture_evaluation
from stvit_video.segmentations.map_scoring import evaluate_maps
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.tasks.picture_report import picture_pixels_of


@pytest.fixture(scope="module")
def segmenter(tiny_segmenter):
    return load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu")


@pytest.fixture(scope="module")
def pictures(tiny_segmenter, segmenter):
    return read_maps(segmenter.config["data"], ("val",), classes=segmenter.classes)["val"]


def empty(segmenter, pictures):
    return SegmentationResults([record.picture_id for record in pictures.pictures], classes=segmenter.classes)


def scored(segmenter, pictures, **settings):
    results = empty(segmenter, pictures)
    evaluate_maps(segmenter, pictures, results, **settings)
    return results


def test_the_matrix_is_that_of_the_pictures_one_by_one(segmenter, pictures):
    expected = empty_confusion(len(segmenter.classes))
    for index, record in enumerate(pictures.pictures):
        add_to_confusion(expected, segmenter(picture_pixels_of(record))["labels"], pictures.read_map(index))
    for batch_size in (1, 3):
        results = scored(segmenter, pictures, batch_size=batch_size)
        assert (results.num_used, results.num_listed, results.errors) == (5, 5, {})
        assert np.array_equal(results.matrix, expected)
    assert expected.sum() == sum(height * width for height, width in results.sizes.values())


def test_one_of_two_processes_has_its_share(segmenter, pictures, monkeypatch):
    alone, whole = scored(segmenter, pictures), empty(segmenter, pictures)
    for rank in (0, 1):
        monkeypatch.setattr(picture_evaluation, "rank_and_world_size", lambda rank=rank: (rank, 2))
        whole.take_share(scored(segmenter, pictures).share())
    assert whole.num_used == 5
    assert np.array_equal(whole.matrix, alone.matrix)


def test_settings_out_of_range(segmenter, pictures):
    with pytest.raises(ValueError, match="precision='8' .*32, "):
        scored(segmenter, pictures, precision="8")


def test_half_precision_finds_nearly_the_same(segmenter, pictures):
    full, half = (scored(segmenter, pictures, batch_size=5, precision=one) for one in ("32", "bf16"))
    right = [one.scores().values["aAcc"] for one in (full, half)]
    assert right[1] == pytest.approx(right[0], abs=0.1)
