"""examples.png: pairs of truth and detections, pictures of any size, pictures that can't be read."""

import numpy as np
import pytest
from detection_maker import CLASSES, SIZES, random_set
from PIL import Image

from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.instances import detected_instances, true_instances
from stvit_video.visualization import panel_sheet as module
from stvit_video.visualization.example_sheet import Example, choose_examples, example_sheet, save_example_sheet
from stvit_video.visualization.panel_sheet import GAP_PIXELS, PANEL_PIXELS, TITLE_PIXELS, group_pixels

PAIR = group_pixels(2)  # truth and detections


def examples(count=7):
    truth, detections = random_set(0)
    made = []
    for n in range(count):
        picture = np.full((*SIZES[n % 4], 3), 90, dtype=np.uint8)
        true = true_instances(truth[n], num_classes=5)
        found = detected_instances(truth[n]["picture_id"], detections[n], num_classes=5)
        made.append(Example(f"best: AP .{n}, {n}.jpg", lambda picture=picture: picture, true, found))
    return made


def test_three_pairs_stand_in_a_row(tmp_path):
    save_example_sheet(tmp_path / "examples.png", examples(), names=CLASSES)
    sheet = np.asarray(Image.open(tmp_path / "examples.png"))
    heights = [TITLE_PIXELS + side + GAP_PIXELS for side in (PANEL_PIXELS, PANEL_PIXELS, 318)]  # the last is 180x181
    assert sheet.shape == (sum(heights), 3 * PAIR, 3)
    assert (sheet[sum(heights[:2]) :, PAIR:] == 255).all()  # seven are three rows
    assert [file.name for file in tmp_path.iterdir()] == ["examples.png"]


def test_the_truth_is_at_the_left_and_only_sure_detections_at_the_right():
    sheet = example_sheet(examples(1), names=CLASSES, threshold=2.0)
    left = sheet[TITLE_PIXELS:-GAP_PIXELS, GAP_PIXELS : GAP_PIXELS + PANEL_PIXELS]
    right = sheet[TITLE_PIXELS:-GAP_PIXELS, 2 * GAP_PIXELS + PANEL_PIXELS : 2 * GAP_PIXELS + 2 * PANEL_PIXELS]
    shown = right[:320, :198]  # 210x130 enlarged
    assert (shown == 90).all()
    assert (left[:320, :198] != 90).any()


def test_the_right_title_tells_the_threshold_and_whether_anything_is_above_it(monkeypatch):
    texts = []
    plain = module.draw_text
    monkeypatch.setattr(
        module, "draw_text", lambda canvas, text, **more: texts.append(text) or plain(canvas, text, **more)
    )
    (example,) = examples(1)
    sheets = [example_sheet([example], names=CLASSES, threshold=threshold) for threshold in (0.0, 2.0)]
    assert [text for text in texts if text.startswith("detected")] == [
        *("detected, scores of at least 0", "detected: none of at least 2")
    ]
    right = slice(2 * GAP_PIXELS + PANEL_PIXELS, PAIR)
    assert all((sheet[:TITLE_PIXELS, right] < 255).any() for sheet in sheets)
    assert (sheets[0][:TITLE_PIXELS, right] != sheets[1][:TITLE_PIXELS, right]).any()


def test_a_picture_that_can_not_be_read_leaves_its_place_empty():
    def broken():
        raise OSError("a.jpg is gone")

    one, other = examples(2)
    sheet = example_sheet([Example(one.title, broken, one.truth, one.detections), other], names=CLASSES)
    cell = sheet[TITLE_PIXELS : PANEL_PIXELS // 2, GAP_PIXELS : 2 * PANEL_PIXELS]
    assert len(np.unique(cell)) == 1


def test_no_examples_is_an_error():
    with pytest.raises(ValueError, match="no picture with an object"):
        example_sheet([], names=CLASSES)


def test_examples_are_the_best_and_the_worst():
    truth, detections = random_set(0)
    results = DetectionResults(truth, classes=CLASSES)
    results.add([picture["picture_id"] for picture in detections], detections)
    chosen = choose_examples(results, iou_type="bbox", read=lambda name: name, title_of=lambda n: f"{n}.jpg", count=4)
    assert [example.title.split(":")[0] for example in chosen] == ["best", "best", "worst", "worst"]
    assert "worst: AP 0.00, 7.jpg" in [example.title for example in chosen]  # it has no detection
    assert all(example.read() == example.truth.picture_id == example.detections.picture_id for example in chosen)


def test_of_one_class_labels_have_scores_alone():
    one = {"boxes": [[50.0, 50, 90, 90]], "labels": [0]}
    true = true_instances(one | {"picture_id": 1}, num_classes=1)
    found = detected_instances(1, one | {"scores": [0.9]}, num_classes=1)
    example = Example("best", lambda: np.full((100, 100, 3), 90, dtype=np.uint8), true, found)
    sheets = [example_sheet([example], names=names) for names in (["cell"], ["cell", "other"])]
    left = slice(0, GAP_PIXELS + PANEL_PIXELS)
    assert (sheets[0][:, left] != sheets[1][:, left]).any()  # the truth has no label where there is one class
    assert len(sheets[0]) == len(sheets[1])


def test_crowds_are_told_from_what_is_scored():
    one = {"boxes": [[20.0, 20, 90, 90]], "labels": [0], "picture_id": 1}
    true = [true_instances(one | {"crowd": [crowd]}, num_classes=1) for crowd in (False, True)]
    picture = np.full((100, 100, 3), 90, dtype=np.uint8)
    sheets = [example_sheet([Example("best", lambda: picture, truth, None)], names=["cell"]) for truth in true]
    assert (sheets[0] != sheets[1]).any()
