import numpy as np
import pytest

from stvit_video.utils.mask_runs import mask_of_runs, read_run_lengths, runs_of_mask


def random_masks():
    rng = np.random.default_rng(0)
    for height, width, share in ((1, 1, 0.5), (5, 7, 0.0), (7, 5, 1.0), (31, 17, 0.5), (40, 300, 0.02), (300, 40, 0.9)):
        yield rng.random((height, width)) < share


@pytest.mark.parametrize("mask", list(random_masks()), ids=lambda mask: str(mask.shape))
def test_masks_come_back_and_the_library_packs_and_unpacks_the_same(mask):
    library = pytest.importorskip("faster_coco_eval.core.mask", reason="packs run lengths")
    height, width = mask.shape
    runs = runs_of_mask(mask)
    assert runs["size"] == [height, width]
    assert sum(runs["counts"]) == height * width
    np.testing.assert_array_equal(mask_of_runs(runs["counts"], height=height, width=width), mask)
    packed = library.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = packed["counts"].decode() if isinstance(packed["counts"], bytes) else packed["counts"]
    assert read_run_lengths(text) == runs["counts"]


def test_runs_by_hand():
    mask = np.array([[0, 1, 1], [0, 0, 1]])  # columns: 00, 10, 11
    assert runs_of_mask(mask) == {"size": [2, 3], "counts": [2, 1, 1, 2]}
    assert runs_of_mask(1 - mask)["counts"] == [0, 2, 1, 1, 2]
    np.testing.assert_array_equal(mask_of_runs([2, 1, 1, 2], height=2, width=3), mask)


@pytest.mark.parametrize(("text", "what"), [("0 1", "' '"), ("P", "break off"), ("0é", "'é'")])
def test_damaged_texts_are_refused(text, what):
    with pytest.raises(ValueError, match=what):
        read_run_lengths(text)


def test_runs_of_another_size_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        mask_of_runs([2, 1], height=2, width=3)
