"""examples.png of label maps: truth at the left, prediction at the right, the classes below."""

import numpy as np
import pytest

from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.map_sheet import MapExample, choose_map_examples, map_sheet
from stvit_video.visualization.paired_sheet import GAP_PIXELS, HALF_PIXELS, PAIR_PIXELS, TITLE_PIXELS

NAMES = ("sky", "sea", "ship", "shore")


def example(truth, found, size=(40, 64)):
    picture, true, labels = (np.full(shape, level, dtype=np.uint8) for shape, level in
                             (((*size, 3), 90), (size, truth), (size, found)))  # fmt: skip
    return MapExample("best: IoU 1.00, a.jpg", lambda: picture, lambda: true, lambda: labels)


def middle(label):
    return (np.array(class_colour(label)) + 90) // 2


def test_the_truth_is_at_the_left_the_prediction_at_the_right_and_what_occurs_below():
    sheet = map_sheet([example(1, 2)], names=NAMES)
    left, right = sheet[100, GAP_PIXELS + 9], sheet[100, HALF_PIXELS + 2 * GAP_PIXELS + 9]
    assert np.abs(left.astype(int) - middle(1)).max() <= 1
    assert np.abs(right.astype(int) - middle(2)).max() <= 1
    assert sheet.shape[1] == 3 * PAIR_PIXELS
    strip = sheet[TITLE_PIXELS + 200 + GAP_PIXELS :]  # 40 x 64 becomes 200 x 320
    assert [(strip == class_colour(label)).all(-1).any() for label in range(4)] == [False, True, True, False]


def test_pixels_that_do_not_count_stay_as_they_are_and_are_explained():
    sheet = map_sheet([example(255, 2)], names=NAMES)
    assert (sheet[100, GAP_PIXELS + 9] == 90).all()
    strips = [one[TITLE_PIXELS + 200 + GAP_PIXELS :] for one in (sheet, map_sheet([example(2, 2)], names=NAMES))]
    hatched = [bool((strip == 120).all(-1).sum() > 30) for strip in strips]
    assert hatched == [True, False]


def test_a_picture_that_is_gone_leaves_the_others():
    def gone():
        raise OSError("a.jpg is gone")

    broken = MapExample("worst", gone, gone, gone)
    sheet = map_sheet([broken, example(1, 1)], names=NAMES)
    assert (sheet[TITLE_PIXELS : HALF_PIXELS // 2, GAP_PIXELS : 2 * HALF_PIXELS] == 225).all()
    assert np.abs(sheet[100, PAIR_PIXELS + GAP_PIXELS + 9].astype(int) - middle(1)).max() <= 1
    with pytest.raises(ValueError, match="no picture with a pixel that counts"):
        map_sheet([], names=NAMES)


def test_examples_are_the_best_and_the_worst():
    results = SegmentationResults(range(20), classes=NAMES)
    for name in range(20):
        found = np.zeros((4, 20), dtype=np.uint8)
        found[:, :name] = 1
        results.add([name], [{"labels": found}], [np.zeros((4, 20), dtype=np.uint8)])
    chosen = choose_map_examples(results, read=str, read_map=lambda n: -n, title_of=lambda n: f"{n}.jpg")
    assert [one.title for one in chosen[:2]] == ["best: IoU 1.00, 0.jpg", "best: IoU 0.95, 1.jpg"]
    assert [one.title for one in chosen[6:8]] == ["worst: IoU 0.05, 19.jpg", "worst: IoU 0.10, 18.jpg"]
    assert [(one.read(), one.read_map(), int(one.labels().sum())) for one in chosen[1:2]] == [("1", -1, 4)]
