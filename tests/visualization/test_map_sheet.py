"""examples.png of label maps: picture, truth and prediction from left to right, the classes below."""

import colorsys

import numpy as np
import pytest

from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.map_sheet import MapExample, choose_map_examples, map_sheet
from stvit_video.visualization.panel_sheet import GAP_PIXELS, PANEL_PIXELS, TITLE_PIXELS, group_pixels

NAMES = ("sky", "sea", "ship", "shore")
ORANGE = (200, 90, 20)  # of the picture
PANELS = [GAP_PIXELS + number * (PANEL_PIXELS + GAP_PIXELS) for number in range(3)]  # where they begin


def example(truth, found, size=(40, 64)):
    picture, true, labels = (np.full(size, value, dtype=np.uint8) for value in (0, truth, found))
    picture = np.full((*size, 3), ORANGE, dtype=np.uint8)
    return MapExample("best: mean IoU 1.00, a.jpg", lambda: picture, lambda: true, lambda: labels)


def hue(pixel):
    red, green, blue = (int(level) / 255 for level in pixel)
    return colorsys.rgb_to_hsv(red, green, blue)[0]


def test_picture_truth_and_prediction_stand_side_by_side_and_what_occurs_below():
    sheet = map_sheet([example(1, 2)], names=NAMES)
    picture, truth, prediction = (sheet[100, left + 9] for left in PANELS)
    assert tuple(picture) == ORANGE
    assert hue(truth) == pytest.approx(hue(class_colour(1)), abs=0.01)  # though the picture is orange
    assert hue(prediction) == pytest.approx(hue(class_colour(2)), abs=0.01)
    assert sheet.shape[1] == 2 * group_pixels(3)
    strip = sheet[TITLE_PIXELS + 200 + GAP_PIXELS :]  # 40 x 64 becomes 200 x 320
    assert [(strip == class_colour(label)).all(-1).any() for label in range(4)] == [False, True, True, False]


def test_pixels_that_do_not_count_have_no_colour_and_are_explained():
    sheet = map_sheet([example(255, 2)], names=NAMES)
    assert len(set(sheet[100, PANELS[1] + 9])) == 1
    strips = [one[TITLE_PIXELS + 200 + GAP_PIXELS :] for one in (sheet, map_sheet([example(2, 2)], names=NAMES))]
    hatched = [bool((strip == 120).all(-1).sum() > 30) for strip in strips]
    assert hatched == [True, False]


def test_a_picture_that_is_gone_leaves_the_others():
    def gone():
        raise OSError("a.jpg is gone")

    broken = MapExample("worst", gone, gone, gone)
    sheet = map_sheet([broken, example(1, 1)], names=NAMES)
    assert (sheet[TITLE_PIXELS : PANEL_PIXELS // 2, GAP_PIXELS : 3 * PANEL_PIXELS] == 225).all()
    assert hue(sheet[100, group_pixels(3) + PANELS[2] + 9]) == pytest.approx(hue(class_colour(1)), abs=0.01)
    with pytest.raises(ValueError, match="no picture with a pixel that counts"):
        map_sheet([], names=NAMES)


def test_examples_are_the_best_and_the_worst():
    results = SegmentationResults(range(20), classes=NAMES)
    for name in range(20):
        found = np.zeros((4, 20), dtype=np.uint8)
        found[:, :name] = 1
        results.add([name], [{"labels": found}], [np.zeros((4, 20), dtype=np.uint8)])
    chosen = choose_map_examples(results, read=str, read_map=lambda n: -n, title_of=lambda n: f"{n}.jpg")
    assert [one.title for one in chosen[:2]] == ["best: mean IoU 1.00, 0.jpg", "best: mean IoU 0.95, 1.jpg"]
    assert [one.title for one in chosen[6:8]] == ["worst: mean IoU 0.05, 19.jpg", "worst: mean IoU 0.10, 18.jpg"]
    assert [(one.read(), one.read_map(), int(one.labels().sum())) for one in chosen[1:2]] == [("1", -1, 4)]
