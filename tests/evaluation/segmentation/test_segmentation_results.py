"""Maps of an evaluation: each picture once, missing ones with their reason, several processes as one."""

import numpy as np
import pytest
import torch

from stvit_video.evaluation.segmentation.confusion import IGNORED, add_to_confusion, empty_confusion
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults

CLASSES = ("sky", "sea", "ship", "shore", "never")
IDS = (12, 3, "seven", 40, 5, 9, 101, 2, 33, 31, 30, 6, 64, 65, 1)


def random_maps(seed=0):
    """For each picture what was found and what is true, of different sizes; the fourth has no pixel that counts."""
    draw = np.random.default_rng(seed)
    for place, name in enumerate(IDS):
        size = (9 + place, 23 - place)
        truth = draw.integers(0, 4, size, dtype=np.uint8)
        found = np.where(draw.random(size) < 1 - place / 20, truth, draw.integers(0, 4, size, dtype=np.uint8))
        truth[draw.random(size) < 0.1] = IGNORED
        if place == 3:
            truth[:] = IGNORED
        yield name, {"labels": found}, truth


def added(maps, results=None):
    results = results or SegmentationResults(IDS, classes=CLASSES)
    for name, found, truth in maps:
        results.add([name], [found], [torch.from_numpy(truth)])
    return results


def ranked(results):
    return [(one.picture_id, one.score, is_best) for one, is_best in results.best_and_worst()]


def test_the_matrix_is_that_of_all_pictures():
    results, expected = added(random_maps()), empty_confusion(5)
    for _, found, truth in random_maps():
        add_to_confusion(expected, found["labels"], truth)
    assert (results.matrix == expected).all()
    assert results.scores().values["aAcc"] == np.trace(expected) / expected.sum()
    assert (results.num_used, results.num_listed, results.errors) == (15, 15, {})
    names = [name for name, _, _ in ranked(results)]
    assert len(names) == 12
    assert names[0] == 12  # the first picture is right in every pixel
    assert 40 not in names  # nothing counts in it


def test_missing_pictures_are_in_no_number_and_have_a_reason():
    results = added(list(random_maps())[2:])
    results.add_missing(3, "it is empty")
    assert results.errors == {12: "was never evaluated", 3: "it is empty"}
    assert (results.num_used, results.num_listed) == (13, 15)
    with pytest.raises(ValueError, match="picture 3 came twice"):
        added(list(random_maps())[1:2], results)


def test_shares_of_processes_make_the_result_of_one(tmp_path):
    maps = list(random_maps(seed=2))
    alone = added(maps[:-1])
    alone.add_missing(1, "broken")
    together = SegmentationResults(IDS, classes=CLASSES)
    for rank in (1, 0, 2):
        worker = added(maps[:-1][rank::3])
        if rank == 2:
            worker.add_missing(1, "broken")
        torch.save(worker.share(), tmp_path / "share.pt")
        together.take_share(torch.load(tmp_path / "share.pt", weights_only=True))
    assert (together.matrix == alone.matrix).all()
    assert (together.errors, together.num_used) == (alone.errors, 14)
    assert ranked(together) == ranked(alone)
    for (one, _), (other, _) in zip(together.best_and_worst(), alone.best_and_worst(), strict=True):
        assert (one.labels() == other.labels()).all()
    with pytest.raises(ValueError, match="came twice"):
        together.take_share(alone.share())


def test_a_map_that_is_wrong_names_its_picture_and_leaves_no_trace():
    results = SegmentationResults(IDS, classes=CLASSES)
    with pytest.raises(ValueError, match=r"picture 3: the predicted map is \(2, 2\) and the true one \(2, 3\)"):
        results.add([3], [{"labels": np.zeros((2, 2), dtype=np.uint8)}], [np.zeros((2, 3), dtype=np.uint8)])
    assert (results.num_used, results.matrix.sum()) == (0, 0)
    with pytest.raises(ValueError, match="num_classes must be from 1 to 255, got 256"):
        SegmentationResults(IDS, classes=[str(n) for n in range(256)])


def test_two_thousand_pictures_take_the_memory_of_a_few():
    results = SegmentationResults(range(2000), classes=CLASSES)
    labels = np.random.default_rng(0).integers(0, 4, (16, 64), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    for name in range(2000):
        results.add([name], [{"labels": labels[:128, :512]}], [labels[:128, :512]])
    kept = results.share()["ranked"]
    assert len(kept) <= 18
    assert sum(one["packed"].numel() for one in kept) < 18 * 128 * 512 / 10
