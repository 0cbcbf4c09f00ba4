import json
from pathlib import Path

import pytest

from stvit_video.pages.render import isolated
from stvit_video.pages.run_folder import RunFiles
from stvit_video.pages.run_headline import baseline_words, headline

RATES = {"top1": 0.25, "top5": 0.875, "mean_class_accuracy": 0.2}


def row(label, error=""):
    return {"video": "v.mp4", "label": label, "error": error}


def several(labels, error=""):
    return {"video": "v.mp4", "labels": labels, "error": error}


def baseline(rows, **result):
    return baseline_words(RunFiles(folder=Path(), result=result, predictions=tuple(rows)), separator=";")


def told(result, unit="videos"):
    return [[(figure.name, figure.text) for figure in line] for line in headline(result, unit=unit)]


@pytest.mark.parametrize(("num_classes", "has_top5"), [(5, False), (6, True)])
def test_five_of_five_classes_are_no_figure(num_classes, has_top5):
    ((first, *more),) = headline(RATES | {"num_classes": num_classes}, unit="pictures")
    assert first[:2] == ("top-1", "0.250")
    assert first.meaning == "share of the pictures whose surest label is the true one"
    assert [figure.name for figure in more] == ["top-5"] * has_top5 + ["mean class accuracy"]


def test_masks_and_boxes_have_a_line_each():
    result = {"AP": 0.5, "AP50": 0.75, "APl": None, "box_AP": 0.25, "box_APs": 0.125, "per_class": {}}
    masks = [("mask AP", "0.500"), ("mask AP50", "0.750"), ("mask APl", "-")]
    assert told(result) == [masks, [("box AP", "0.250"), ("box APs", "0.125")]]
    assert told({"AP": 0.5}) == [[("AP", "0.500")]]


def test_whole_recordings_have_seconds():
    result = {"median_delay_seconds": 1.5, "false_alarms_per_hour": 1234.567, "f1_10": 0.5, "f1_25": 0.4, "f1_50": 0.3}
    f1 = [("F1@.1", "0.500"), ("F1@.25", "0.400"), ("F1@.5", "0.300")]
    assert told(result) == [[*f1, ("median delay", "1.50 s"), ("false alarms an hour", "1234.57")]]
    several = {"frame_accuracy": None, "frame_mean_average_precision": 0.25}
    assert told(several) == [[("frame mAP", "0.250"), ("frame accuracy", "-")]]


def test_trainings_of_pictures_have_their_figures(tiny_detector, tiny_segmenter):
    for run, names in ((tiny_detector, {"AP", "AP50", "AR"}), (tiny_segmenter, {"mIoU", "mAcc", "aAcc"})):
        (line,) = headline(json.loads((run.folder / "result.json").read_text()), unit="pictures")
        assert names <= {figure.name for figure in line}
        assert not any("{" in figure.meaning for figure in line)


def test_the_commonest_class_and_guessing_are_told():
    rows = [row("run"), row("sit"), row("sit"), row("run", "damaged"), row("run", "damaged")]
    words = f"Always saying {isolated('sit')} would give a top-1 of 0.667, guessing 0.125."
    assert baseline(rows, num_classes=8) == words


def test_of_several_labels_the_mean_share_is_told():
    rows = [several("a;b"), several("a"), several(""), several("a;c"), several("c", "damaged")]
    words = "Scores that know nothing would give an mAP of about 0.417, the mean share of the labels."
    assert baseline(rows) == words  # shares 3/4, 1/4 and 1/4


@pytest.mark.parametrize("rows", [[], [row("run", "damaged")], [several("")]])
def test_without_labels_nothing_is_known(rows):
    assert baseline(rows) == ""
    assert headline({"result": "top-1 1.000"}, unit="videos") == []


def test_of_equally_common_classes_none_is_named():
    rows = [row("run"), row("sit"), row("sit"), row("run")]
    assert baseline(rows) == "Always saying the same class would give a top-1 of 0.500."
