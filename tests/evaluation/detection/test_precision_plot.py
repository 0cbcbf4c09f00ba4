"""pr_curves.png: curves of classes and means, names of any script, sets without objects."""

import numpy as np
import pytest
from detection_maker import CLASSES, random_set
from PIL import Image

from stvit_video.evaluation.detection import precision_plot as module
from stvit_video.evaluation.detection.coco_scores import coco_scores
from stvit_video.evaluation.detection.precision_plot import save_precision_curves


@pytest.fixture
def drawn(monkeypatch):
    """The figure, caught when it is written."""
    figures = []
    save = module.save_figure

    def note(figure, path):
        figures.append(figure)
        save(figure, path)

    monkeypatch.setattr(module, "save_figure", note)
    return figures


def draw_curves(scores, path, colour_of=lambda label: (label, 255, 0)):
    save_precision_curves(scores, path, colour_of=colour_of)


def scored(*iou_types, classes=CLASSES):
    truth, detections = random_set(0)
    return {kind: coco_scores(truth, detections, classes=classes, iou_type=kind) for kind in iou_types}


def test_boxes_and_masks_have_a_row_each(tmp_path, drawn):
    found = scored("bbox", "segm")
    draw_curves(found, tmp_path / "pr_curves.png")
    assert [file.name for file in tmp_path.iterdir()] == ["pr_curves.png"]
    assert np.asarray(Image.open(tmp_path / "pr_curves.png")).std() > 10
    means, classes = drawn[0].axes[:2]
    ap = found["bbox"].values["AP"]
    assert f"mean of .50 to .95 (AP): {ap:.3f}" in [line.get_label() for line in means.get_lines()]
    labels = [line.get_label() for line in classes.get_lines()]
    assert sorted(label.split(":")[0] for label in labels) == ["cell", "not detected", "platelet"]
    assert f"cell: {found['bbox'].per_class[0].values['AP50']:.3f}" in labels
    assert len(drawn[0].axes) == 4


def test_each_class_has_its_colour(tmp_path, drawn):
    found = scored("bbox")
    draw_curves(found, tmp_path / "x.png", colour_of=lambda label: (51 * label, 255, 0))
    names = [one.name for one in found["bbox"].per_class]
    lines = drawn[0].axes[1].get_lines()
    assert len(lines) == 3
    for line in lines:
        assert line.get_color() == [names.index(line.get_label().split(":")[0]) / 5, 1.0, 0.0]


def test_of_many_classes_the_best_and_the_worst_have_a_curve(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(module, "MAX_CLASSES_NAMED", 2)
    found = scored("bbox")
    draw_curves(found, tmp_path / "x.png")
    axes = drawn[0].axes[1]
    known = [scores for scores in found["bbox"].per_class if scores.values["AP"] is not None]
    ranked = sorted(known, key=lambda scores: scores.values["AP50"])
    names = [line.get_label().split(":")[0] for line in axes.get_lines()]
    assert names == [ranked[-1].name, ranked[0].name]
    assert "best and worst of 3 classes" in axes.get_title()


def test_names_are_taken_literally(tmp_path, drawn):
    names = ("$x^", "قفز", "你" * 200, "d", "e")
    draw_curves(scored("bbox", classes=names), tmp_path / "x.png")
    texts = [text.get_text() for text in drawn[0].axes[1].get_legend().get_texts()]
    assert any(text.startswith("$x^: ") for text in texts)
    assert all(len(text) < 40 for text in texts)


def test_a_set_without_objects_has_a_picture_that_says_so(tmp_path, drawn):
    found = coco_scores([{"picture_id": 1, "boxes": [], "labels": []}], [], classes=["a"])
    draw_curves({"bbox": found}, tmp_path / "x.png")
    assert "no object of any class" in [text.get_text() for text in drawn[0].axes[1].texts]
