"""The work on a video with a drawing of its own; `test_overlay_video` has what goes wrong."""

import json

import pytest
from stamped_video import picture_numbers, timed_video

from stvit_video.data.decode import open_video
from stvit_video.visualization.overlay_frames import overlay_frames


class Numbers:
    """Paints what was found as a light at the left, and counts."""

    def __init__(self):
        self.drawn = []

    def draw(self, frame, found):
        self.drawn.append(found["number"])
        return frame.copy()

    def record(self, found):
        return {"number": found["number"], "more": [found["number"]]}


@pytest.mark.parametrize(("every", "batch_size"), [(1, 3), (3, 1), (4, 2)])
def test_what_is_found_is_drawn_until_the_next_look(tmp_path, every, batch_size):
    source, seen = timed_video(tmp_path / "a.mp4", range(0, 400, 40)), []

    def find(frames):
        numbers = picture_numbers(frames)
        seen.extend(numbers)
        assert len(numbers) <= batch_size
        return [{"number": number} for number in numbers]

    drawing = Numbers()
    outcome = overlay_frames(
        source, find, drawing, folder=tmp_path, name="r", every=every, batch_size=batch_size, report=lambda count: None
    )
    assert seen == list(range(0, 10, every))
    assert drawing.drawn == [n // every * every for n in range(10)]
    lines = [json.loads(line) for line in outcome.lines_path.read_text().splitlines()]
    assert [(line["number"], line["more"]) for line in lines] == [(n, [n]) for n in seen]
    with open_video(outcome.video_path) as video:
        assert picture_numbers(video.read(range(10))) == list(range(10))


def test_an_error_of_the_drawing_is_the_callers(tmp_path):
    class Broken(Numbers):
        def draw(self, frame, found):
            raise ValueError("no such colour")

    source = timed_video(tmp_path / "a.mp4", range(0, 80, 40))
    with pytest.raises(ValueError, match="no such colour"):
        overlay_frames(source, lambda frames: [{"number": 0}] * len(frames), Broken(), folder=tmp_path, name="r")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
