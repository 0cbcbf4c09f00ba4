"""Drawn pictures: lines where the boxes are, colours of classes, masks, and pictures and labels of any size."""

import re

import numpy as np
import pytest
import torch

from stvit_video.evaluation.detection.run_lengths import encode_masks
from stvit_video.visualization import draw_detections as module
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.draw_detections import draw_detections

NAMES = ("cell", "platelet")


def grey(height=240, width=320, level=128):
    return np.full((height, width, 3), level, dtype=np.uint8)


def found(*boxes, labels=None, scores=None, **others):
    values = {
        "boxes": np.array(boxes, dtype=float).reshape(-1, 4),
        "labels": [0] * len(boxes) if labels is None else labels,
    }
    return values | ({} if scores is None else {"scores": scores}) | others


@pytest.fixture
def without_labels(monkeypatch):
    monkeypatch.setattr(module, "_draw_labels", lambda *_: None)


def test_a_box_is_drawn_on_its_outermost_pixels(without_labels):
    picture = grey()
    drawn = draw_detections(picture, found((10, 20, 50, 60)), names=NAMES)
    is_line = (drawn == class_colour(0)).all(axis=2)
    rows, columns = np.nonzero(is_line)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 59, 10, 49)
    assert is_line[20, 10:50].all()
    assert not is_line[22:58, 12:48].any()
    changed = (drawn != picture).any(axis=2)
    assert changed[19:61, 9:51].sum() == changed.sum()  # the dark rim is one pixel wide
    assert (picture == 128).all()  # the given one stays as it is


def test_detections_below_the_threshold_are_left_out(without_labels):
    two = found((10, 10, 50, 50), (100, 100, 150, 150), labels=[0, 1], scores=torch.tensor([0.6, 0.4]))
    drawn = draw_detections(grey(), two, names=NAMES, threshold=0.5)
    assert not (drawn == class_colour(1)).all(axis=2).any()
    both = draw_detections(grey(), two, names=NAMES, threshold=0.4)
    assert (both == class_colour(1)).all(axis=2).any()
    true = draw_detections(grey(), {"boxes": two["boxes"], "labels": [0, 1]}, names=NAMES, threshold=0.9)
    assert (true == class_colour(1)).all(axis=2).any()  # true objects have no score


def test_the_best_is_on_top(without_labels):
    two = found((10, 10, 50, 50), (10, 10, 50, 50), labels=[0, 1], scores=[0.6, 0.9])
    drawn = draw_detections(grey(), two, names=NAMES)
    assert tuple(drawn[10, 30]) == class_colour(1)


@pytest.mark.parametrize("form", [lambda m: m, torch.tensor, encode_masks])
def test_a_mask_is_tinted_within_and_lined(form, without_labels):
    mask = np.zeros((1, 240, 320), dtype=bool)
    mask[0, 100:150, 200:280] = True
    drawn = draw_detections(grey(), found((200, 100, 280, 150), masks=form(mask)), names=NAMES)
    tinted = (128 * 0.6 + np.array(class_colour(0)) * 0.4).astype(np.uint8)
    assert (drawn[102:148, 202:278] == tinted).all()
    assert (drawn[100, 200:280] == class_colour(0)).all()
    assert (drawn[60:90] == 128).all()


def test_a_label_has_the_colour_of_the_class_and_the_score():
    drawn = draw_detections(grey(), found((100, 100, 200, 200), labels=[1], scores=[0.87]), names=NAMES)
    label = drawn[80:99, 100:180]
    near = np.abs(label.astype(int) - class_colour(1)).sum(axis=2) < 80
    assert near.mean() > 0.3
    other = draw_detections(grey(), found((100, 100, 200, 200), labels=[1], scores=[0.88]), names=NAMES)
    assert (other[80:99] != drawn[80:99]).any()


def test_lines_and_letters_grow_with_the_picture():
    def line_width(height, width):
        box = (0.2 * width, 0.4 * height, 0.8 * width, 0.9 * height)
        drawn = draw_detections(grey(height, width), found(box, scores=[0.9]), names=NAMES)
        column = (drawn[: round(0.9 * height) - 30 * height // 400, width // 2] == class_colour(0)).all(axis=1)
        return int(column.sum())

    assert line_width(400, 400) == 1
    assert line_width(1600, 1600) == 5


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (40, 800), (800, 40), (5, 7), (13, 13)])
def test_pictures_of_any_size(size):
    height, width = size
    boxes = [(0, 0, width, height), (width - 0.4, height - 0.4, width, height), (-5, -5, 2 * width, 0.1)]
    mask = np.ones((3, height, width), dtype=bool)
    drawn = draw_detections(grey(height, width), found(*boxes, scores=[0.9, 0.8, 0.7], masks=mask), names=NAMES)
    assert drawn.shape == (height, width, 3)
    assert (drawn != 128).any()


@pytest.mark.parametrize("name", ["x" * 200, "قفز عالي", "跳躍", "a\nb\x00", "", "🙂 smile"])
def test_names_of_any_script_and_length(name):
    drawn = draw_detections(grey(), found((60, 100, 200, 200), scores=[0.5]), names=[name])
    assert (drawn[70:98] != 128).any()


def test_hundreds_of_objects_keep_their_boxes():
    draw = np.random.default_rng(0)
    corner = draw.integers(0, 220, (400, 2))
    boxes = np.concatenate([corner, corner + 12], axis=1)
    drawn = draw_detections(grey(), found(*boxes, scores=draw.random(400)), names=NAMES, threshold=0.0)
    assert drawn.std() > 20


def test_without_detections_the_picture_is_equal():
    picture = grey()
    drawn = draw_detections(picture, found(scores=[]), names=NAMES)
    assert (drawn == picture).all()
    assert drawn is not picture


@pytest.mark.parametrize(
    ("picture", "detections", "said"),
    [
        (grey()[:, :, 0], found(), "must be (H, W, 3) uint8, got (240, 320) uint8"),
        (grey().astype(float), found(), "got (240, 320, 3) float64"),
        (grey(), found((0, 0, 5, 5), labels=[2]), "label 2 has no name; names has 2"),
        (grey(), found((0, 0, 5, 5), masks=np.ones((1, 24, 32))), "a mask has 32x24 pixels and the picture 320x240"),
    ],
)
def test_what_can_not_be_drawn_says_why(picture, detections, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        draw_detections(picture, detections, names=NAMES)


def test_labels_cover_an_eighth_of_the_picture_at_most(monkeypatch):
    monkeypatch.setattr(module, "_draw_box", lambda *_: None)
    draw = np.random.default_rng(0)
    corner = draw.integers(0, 220, (400, 2))
    boxes = np.concatenate([corner, corner + 12], axis=1)
    drawn = draw_detections(grey(), found(*boxes, scores=draw.random(400)), names=NAMES, threshold=0.0)
    share = (drawn != 128).any(axis=2).mean()
    assert 0.05 < share <= 0.125


def test_labels_of_a_small_picture_leave_its_objects_visible():
    """Four objects of 20 pixels with little room between them."""
    boxes = [(x, y, x + 20, y + 20) for y in (24, 50) for x in (30, 56)]
    small = np.full((96, 128, 3), 128, dtype=np.uint8)
    drawn = draw_detections(small, found(*boxes, scores=[0.9, 0.8, 0.7, 0.6]), names=NAMES)
    for x1, y1, x2, y2 in boxes:
        inside = drawn[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
        assert (inside == 128).all(axis=2).mean() > 0.7
    assert (drawn[:23] != 128).any()  # the first one has its label above it


def test_a_crowd_has_a_dashed_frame_and_its_label_says_that_it_is_not_scored(monkeypatch):
    texts = []
    plain = module.named_value_image
    note = lambda name, value, **more: texts.append(name) or plain(name, value, **more)  # noqa: E731
    monkeypatch.setattr(module, "named_value_image", note)
    two = found((20, 40, 120, 140), (180, 40, 280, 140), crowd=[True, False])
    drawn = draw_detections(grey(), two, names=NAMES)
    lines = [(drawn[139, left : left + 100] == class_colour(0)).all(axis=1).mean() for left in (20, 180)]
    assert lines[1] == 1
    assert 0.3 < lines[0] < 0.7
    assert [text for text in texts if text] == ["cell (not scored)", "cell"]
    draw_detections(grey(), two, names=["", ""])  # as of one class
    assert "(not scored)" in texts
