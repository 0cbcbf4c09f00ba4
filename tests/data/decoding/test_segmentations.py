import numpy as np
import pytest

from stvit_video.data.decoding.segmentations import (
    segmentation_box,
    segmentation_fault,
    segmentation_mask,
    segmentation_runs,
)
from stvit_video.utils.mask_runs import runs_of_mask

H, W = 21, 34


def test_a_polygon_covers_the_pixels_whose_centres_are_in_it():
    mask = segmentation_mask([[3, 4, 13, 4, 13, 11, 3, 11]], height=H, width=W)
    expected = np.zeros((H, W), dtype=np.uint8)
    expected[4:11, 3:13] = 1
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, expected)


def test_several_polygons_are_one_object():
    one, other = [2, 2, 8, 2, 8, 8, 2, 8], [20, 10, 30, 10, 30, 18, 20, 18]
    both = segmentation_mask([one, other], height=H, width=W)
    apart = [segmentation_mask([polygon], height=H, width=W) for polygon in (one, other)]
    np.testing.assert_array_equal(both, apart[0] | apart[1])
    assert both.sum() == 36 + 80


def test_run_lengths_as_numbers_and_as_text_are_the_same_mask():
    library = pytest.importorskip("faster_coco_eval.core.mask", reason="packs run lengths")
    mask = np.random.default_rng(1).random((H, W)) < 0.4
    packed = library.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    text = packed.decode() if isinstance(packed, bytes) else packed
    for counts in (runs_of_mask(mask)["counts"], text):
        found = segmentation_mask({"size": [H, W], "counts": counts}, height=H, width=W)
        np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize(
    ("segmentation", "what"),
    [
        (None, "none"),
        ([], "none"),
        ("text", "neither"),
        ([1, 2, 3, 4, 5, 6], "one polygon where a list"),
        ([[1, 2, 3, 4]], "4 numbers, at least 6"),
        ([[1, 2, 3, 4, 5, 6], []], "0 numbers, at least 6"),
        ([[1, 2, 3, 4, 5, 6, 7]], r"odd count of numbers \(7\)"),
        ([[1, 2, 3, 4, 5, float("nan")]], "finite"),
        ([[1, 2, 3, 4, 5, "6"]], "finite"),
        ({"size": [W, H], "counts": [H * W]}, rf"\[{W}, {H}\].*\[{H}, {W}\]"),
        ({"counts": [H * W]}, "size None"),
        ({"size": [H, W], "counts": [5, 6]}, f"cover 11 pixels of {H * W}"),
        ({"size": [H, W], "counts": [H * W + 1, -1]}, "from 0 on"),
        ({"size": [H, W], "counts": 5}, "neither a text nor"),
        ({"size": [H, W], "counts": "P"}, "break off"),
    ],
)
def test_what_is_no_mask_is_named_and_not_drawn(segmentation, what):
    fault = segmentation_fault(segmentation, height=H, width=W)
    with pytest.raises(ValueError, match=what):
        segmentation_mask(segmentation, height=H, width=W)
    assert fault
    assert segmentation_runs(segmentation, height=H, width=W) == {"size": [H, W], "counts": [H * W]}
    assert not segmentation_fault([[1, 2, 3, 4, 5, 6]], height=H, width=W)


def test_all_forms_become_run_lengths_of_the_same_mask():
    polygons = [[3, 4, 13, 4, 13, 11, 3, 11], [20, 2, 30, 2, 25, 18]]
    runs = segmentation_runs(polygons, height=H, width=W)
    mask = segmentation_mask(polygons, height=H, width=W)
    np.testing.assert_array_equal(segmentation_mask(runs, height=H, width=W), mask)
    given = runs_of_mask(mask)
    assert segmentation_runs(given, height=H, width=W) == given
    assert isinstance(runs["counts"], str)


@pytest.mark.parametrize(
    ("polygons", "box"),
    [([[3, 2, 9.5, 2, 9, 7]], (3, 2, 9.5, 7)), ([[3, 2, 9, 2, 9, 7], [0, 5, 1, 5, 1, 8]], (0, 2, 9, 8))],
)
def test_the_box_around_polygons(polygons, box):
    assert segmentation_box(polygons, height=11) == box


@pytest.mark.parametrize(
    ("rows", "columns"), [((2, 5), (3, 7)), ((0, 11), (3, 5)), ((10, 11), (0, 13)), ((0, 0), (0, 0))]
)
def test_the_box_around_run_lengths_is_that_of_the_mask(rows, columns):
    mask = np.zeros((11, 13), dtype=np.uint8)
    mask[slice(*rows), slice(*columns)] = 1
    runs = runs_of_mask(mask)
    assert segmentation_box(runs, height=11) == (columns[0], rows[0], columns[1], rows[1])


def test_the_box_around_run_lengths_that_go_on_in_the_next_column():
    mask = np.zeros((11, 13), dtype=np.uint8)
    mask[8:, 4] = mask[:3, 5] = mask[5, 5] = 1
    assert segmentation_box(runs_of_mask(mask), height=11) == (4, 0, 6, 11)
    assert segmentation_box({"size": [11, 13], "counts": [30, 0, 113]}, height=11) == (0, 0, 0, 0)
