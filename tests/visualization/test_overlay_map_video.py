"""NAME.mp4 and NAME.jsonl of label maps: a class keeps its colour and its place in the legend."""

import json

import numpy as np
import pytest
from stamped_video import timed_video

from stvit_video.data.decode import open_video
from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.overlay_map_video import _Maps, overlay_map_video

NAMES = ["a", "b", "c"]


def split_at(rows):
    """Maps whose lower part, from a row on, is of class 1."""

    def segment(frames):
        found = []
        for frame in frames:
            labels = np.zeros(frame.shape[:2], dtype=np.uint8)
            labels[next(rows) :] = 1
            found.append({"labels": labels})
        return found

    return segment


def over_grey(pixel, label):
    return 0.65 * np.array(class_colour(label)) + 0.35 * pixel @ np.array([0.299, 0.587, 0.114])


def test_every_frame_has_its_map_and_its_shares(tmp_path):
    source = timed_video(tmp_path / "a.mp4", range(0, 280, 40))
    (tmp_path / "out").mkdir()
    outcome = overlay_map_video(
        source, split_at(iter(range(16, 64, 8))), folder=tmp_path / "out", name="r", names=NAMES, every=2, batch_size=2
    )
    assert (outcome.num_frames, outcome.error) == (7, "")
    lines = [json.loads(line) for line in outcome.lines_path.read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 2, 4, 6]
    assert [line["drawn_until_frame"] for line in lines] == [1, 3, 5, 6]
    assert [line["classes"]["b"] for line in lines] == [0.75, 0.625, 0.5, 0.375]
    assert list(lines[3]["classes"]) == ["a", "b"]
    with open_video(source) as before, open_video(outcome.video_path) as video:
        assert (video.num_frames, video.height, video.width) == (7, 64, 128)
        plain, frames = (one.read(range(7))[:, :, 100:].astype(float) for one in (before, video))
    tops = frames[:, 2:14].mean((1, 2))  # of class 0 in all frames
    assert np.abs(tops - np.array([over_grey(plain[n, 2:14].mean((0, 1)), 0) for n in range(7)])).max() < 12


def test_the_legend_only_grows():
    maps = _Maps(NAMES)
    frame = np.full((200, 400, 3), 128, dtype=np.uint8)
    first, second = (np.full((200, 400), label, dtype=np.uint8) for label in (2, 0))
    second[:1, :1] = 1  # too little for a place
    places = []
    for labels in (first, second, first):
        drawn = maps.draw(frame, {"labels": labels})
        places.append([tuple(np.argwhere((drawn == class_colour(n)).all(-1))[:1].ravel()) for n in range(3)])
    assert [[bool(place) for place in row] for row in places] == [
        [False, False, True],
        [True, False, True],
        [True, False, True],
    ]
    assert places[0][2] == places[1][2] == places[2][2]
    assert places[1][0] == places[2][0]
    assert places[1][0][0] > places[1][2][0]


@pytest.mark.parametrize(("size", "is_shown"), [((100, 140), True), ((40, 60), False)])
def test_a_legend_is_shown_where_its_names_can_be_read(size, is_shown):
    maps = _Maps(["ground", "triangle", "disc"])
    labels = np.zeros(size, dtype=np.uint8)
    labels[10:], labels[30:] = 1, 2
    drawn = maps.draw(np.full((*size, 3), 128, dtype=np.uint8), {"labels": labels})
    assert [bool((drawn == class_colour(n)).all(-1).sum() > 30) for n in range(3)] == [is_shown] * 3


def test_a_label_without_a_name_is_told(tmp_path):
    source = timed_video(tmp_path / "a.mp4", range(0, 80, 40))
    with pytest.raises(ValueError, match="label 1 has no name"):
        overlay_map_video(source, split_at(iter([9, 9])), folder=tmp_path, name="r", names=["a"])
    assert not (tmp_path / "r.mp4").exists()
