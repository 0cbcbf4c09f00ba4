"""A prediction: its label, and its form in one line."""

from pathlib import Path

import pytest

from stvit_video.inference.prediction import Prediction


def test_the_label_is_the_likeliest():
    told = Prediction(labels=("run", "jump"), probabilities=(0.7, 0.2))
    assert told.label == "run"
    assert (told.error, told.features, told.file) == (None, None, None)
    assert told.seconds != told.seconds  # not known


@pytest.mark.parametrize(
    ("told", "words"), [(Prediction(error="cut short"), "cut short"), (Prediction(), "no label .*threshold")]
)
def test_without_labels_there_is_no_label(told, words):
    with pytest.raises(ValueError, match=words):
        assert told.label


def test_the_form_in_one_line():
    told = Prediction(file=Path("a b.mp4"), labels=("w", "x", "y", "z"), probabilities=(0.5, 0.25, 0.125, 0.0625))
    assert str(told) == "a b.mp4: w 0.500, x 0.250, y 0.125"
    assert str(Prediction(labels=("w",), probabilities=(1.0,))) == "w 1.000"
    assert str(Prediction(file=Path("a.mp4"), error="it is empty")) == "a.mp4: it is empty"
