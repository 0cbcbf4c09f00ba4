"""The speed of labelling: every way labels every file in every round."""

import pytest

from stvit_video.inference.predict_speed import PredictSpeed, format_speeds, measure_predicting
from stvit_video.inference.recognizer import load_recognizer


def test_each_way_labels_all_files_in_each_round(tiny_run, monkeypatch):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1)
    seen = []
    real = type(recognizer).__call__

    def noting(self, given, **settings):
        seen.append((given if isinstance(given, list) else [given], settings.get("num_workers")))
        return real(self, given, **settings)

    monkeypatch.setattr(type(recognizer), "__call__", noting)
    files = list(tiny_run.videos[:2])
    speeds = measure_predicting(recognizer, files, num_workers=(0, 2), repeats=2)
    assert [one.way for one in speeds] == ["one call a video", "a list, num_workers=0", "a list, num_workers=2"]
    assert seen == [([files[0]], None), ([files[1]], None), (files, 0), (files, 2)] * 3
    assert all(one.videos_per_second > 0 and one.cpu_seconds > 0 for one in speeds)


def test_the_table():
    speeds = [
        PredictSpeed(way="one call a video", videos_per_second=4.0, cpu_seconds=0.25),
        PredictSpeed(way="a list, num_workers=2", videos_per_second=7.0, cpu_seconds=0.2404),
    ]
    assert format_speeds(speeds).splitlines()[2:] == [
        "| one call a video | 4.0 | 1.00 | 250.0 |",
        "| a list, num_workers=2 | 7.0 | 1.75 | 240.4 |",
    ]


@pytest.mark.parametrize(("files", "repeats", "words"), [(0, 5, "nothing to measure"), (1, 0, "repeats=0")])
def test_what_can_not_be_measured(tiny_run, files, repeats, words):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    with pytest.raises(ValueError, match=words):
        measure_predicting(recognizer, tiny_run.videos[:files], num_workers=(0,), repeats=repeats)
