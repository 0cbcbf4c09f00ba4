"""timeline.png: which classes are shown, where curves break, and that what is drawn is seen."""

from io import BytesIO

import numpy as np
import pytest

from stvit_video.streaming import stream_timeline
from stvit_video.streaming.stream_timeline import gaps_of, lane_classes, save_timeline
from stvit_video.streaming.time_bins import TimeBins

CLASSES = tuple(f"class {n}" for n in range(30))


def record(number, label, start, end):
    return {"event": number, "label": label, "start_seconds": start, "end_seconds": end}


def bins_of(times, num_classes=30):
    bins = TimeBins(num_classes)
    for seconds in times:
        bins.add(seconds, np.linspace(0.1, 0.9, num_classes) * (0.5 + 0.5 * np.sin(seconds)))
    return bins


def test_classes_with_events_have_lanes_and_the_likeliest_fill_up():
    peaks = np.tile(np.linspace(0.0, 1.0, 30), (3, 1))
    events = [record(1, "class 4", 0, 1), record(2, "class 2", 0, 1), record(3, "class 4", 5, 6)]
    assert lane_classes(peaks, events, CLASSES) == [2, 4, 24, 25, 26, 27, 28, 29]
    assert lane_classes(peaks[:0], [], CLASSES[:3]) == [0, 1, 2]
    many = [record(n, f"class {n % 29}", n, n + 1) for n in range(50)]  # the first 21 classes have two
    assert lane_classes(peaks, many, CLASSES) == [*range(21), 26, 27, 28]


def test_a_gap_is_longer_than_the_usual_distance():
    times = np.array([0.0, 0.25, 0.5, 0.75, 3.0, 3.25, 3.5])
    assert gaps_of(times, bin_seconds=0.03) == [(0.75, 3.0)]
    assert gaps_of(times, bin_seconds=0.3) == []  # 8 bins are 2.4 s
    assert gaps_of(np.arange(9) * 2.0, bin_seconds=0.03) == []
    assert gaps_of(times[:1], bin_seconds=0.03) == gaps_of(times[:0], bin_seconds=0.03) == []


@pytest.mark.parametrize("length", [0.0, 3.0, 120.0, 7200.0])
def test_an_event_is_seen_in_its_colour_where_it_is(tmp_path, length, monkeypatch):
    kept = []
    monkeypatch.setattr(stream_timeline, "save_figure", lambda figure, file: kept.append(figure) or file.write(b"x"))
    start = 10.0 + 0.4 * length
    events = [record(1, "$odd_{name", start, start + max(length / 20, 0.5)), record(2, "b", 10.0, None)]
    bins = bins_of(np.linspace(10.0, 10.0 + length, 50), 3)
    save_timeline(tmp_path / "x.png", bins, events, classes=("a", "b", "$odd_{name"), enter=0.5)
    (figure,) = kept
    (axes,) = figure.axes
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    x, y = axes.transData.transform((start + max(length / 20, 0.5) / 2, 0.15))  # the last class has the lowest lane
    red, green, blue = picture[picture.shape[0] - 1 - int(y), int(x)]
    assert abs(red - 70) + abs(green - 205) + abs(blue - 70) < 12
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert 1 <= len(labels) == len(set(labels)) <= 14
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "$odd_{name"]


def test_the_file_is_a_picture_of_bounded_size(tmp_path):
    from matplotlib.image import imread

    events = [record(n, f"class {n}", 10.0 * n, 10.0 * n + 1) for n in range(30)]
    save_timeline(tmp_path / "x.png", bins_of(np.arange(0, 300, 0.5)), events, classes=CLASSES, enter=0.5)
    assert imread(BytesIO((tmp_path / "x.png").read_bytes())).shape == (1716, 1680, 4)


def test_a_stream_without_steps(tmp_path):
    save_timeline(tmp_path / "x.png", TimeBins(3), [], classes=("a", "b", "c"), enter=0.5)
    assert (tmp_path / "x.png").stat().st_size > 1000
