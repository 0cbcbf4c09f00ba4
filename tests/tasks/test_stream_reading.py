"""Files that are read as streams by a model whose answers are known: a linear function of the brightness."""

from pathlib import Path

import numpy as np
import pytest

from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.streaming.events import EventRules
from stvit_video.streaming.step_table import read_steps
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer
from stvit_video.tasks.listed_streams import ListedStream
from stvit_video.tasks.stream_reading import read_streams

CLASSES = ("dark", "bright")
RULES = EventRules(smoothing_seconds=0, min_seconds=0)


class Brightness:
    """A `StepModel` of windows of 4 frames: bright where their mean is above 128."""

    classes, multi_label, frames_per_step, num_frames, generate_at = CLASSES, False, 1, 4, None
    preprocessing = Preprocessing(num_frames=4, frame_stride=2, short_side=8, crop_size=8)

    def checked(self, frames):
        return frames

    def preprocess(self, frames):
        return frames.astype(np.float32)

    def encode(self, frames):
        return frames.mean(axis=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)

    def decide(self, tokens):
        logit = (tokens.mean() - 128) / 16
        return np.array([-logit, logit], dtype=np.float32)

    def set_num_tokens(self, num_tokens):
        raise NotImplementedError

    def set_generate_at(self, place):
        raise NotImplementedError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A video of 6 s at 10 frames a second that is bright from 2 to 4 s, one of 3 frames, and one that is damaged."""
    root = tmp_path_factory.mktemp("streams")
    frames = np.full((60, 16, 16, 3), 40, dtype=np.uint8)
    frames[20:40] = 210
    encode_video(root / "lamp.mp4", frames, fps=10)
    encode_video(root / "short.mp4", frames[:3], fps=10)
    (root / "damaged.mp4").write_bytes(b"no video")
    return root


def streams_of(folder, *names):
    records = (
        VideoRecord(folder / "x", 0, "x", 0.0, 2.0),
        VideoRecord(folder / "x", 1, "x", 2.0, 4.0),
        VideoRecord(folder / "x", 0, "x", 4.0),
    )
    return [ListedStream(folder / name, name, records, CLASSES) for name in names]


def read(folder, *names, label_at="end"):
    recognizer = StreamingRecognizer(Brightness(), stride_frames=1)
    return read_streams(recognizer, streams_of(folder, *names), rules=RULES, label_at=label_at)


def test_steps_and_events_of_a_file(folder, capsys):
    found = read(folder, "lamp.mp4")
    recording = found.recordings["lamp.mp4"]
    # every second frame, the first window ends at 0.6 s; half of a window is bright 0.4 s after the light
    np.testing.assert_allclose(recording.seconds, np.arange(0.6, 5.9, 0.2), atol=1e-6)
    events = [(one.label, round(one.start_seconds, 6), round(one.end_seconds, 6)) for one in recording.events]
    assert events[0][:2] == ("dark", 0.6)
    assert [label for label, _, _ in events] == ["dark", "bright", "dark"]
    assert events[1][1] == pytest.approx(2.3, abs=0.15)
    assert events[1][2] == pytest.approx(4.3, abs=0.15)
    assert recording.truth.segments[-1].end_seconds == pytest.approx(6.0)  # the last frame is shown for 0.1 s
    assert (found.beyond, found.num_whole) == ([], 0)
    assert found.source_seconds == pytest.approx(5.9, abs=0.11)
    assert found.times.milliseconds()["decide"]["mean"] > 0
    assert capsys.readouterr().out.startswith("1 of 1: lamp.mp4, 27 steps, 3 events, ")


def test_segments_beyond_the_end_of_the_video(folder):
    records = (
        VideoRecord(folder / "x", 0, "x", 0.0, 6.05),
        VideoRecord(folder / "x", 1, "x", 5.0, 8.0),
        VideoRecord(folder / "x", 1, "x", 6.5, 8.0),
        VideoRecord(folder / "x", 0, "x"),
    )
    streams = [ListedStream(folder / "lamp.mp4", "lamp.mp4", records, CLASSES)]
    found = read_streams(StreamingRecognizer(Brightness(), stride_frames=1), streams, rules=RULES, label_at="end")
    ends = [one.end_seconds for one in found.recordings["lamp.mp4"].truth.segments]
    assert ends == pytest.approx([6.0, 6.0, 6.0])
    assert [sentence.split(" ")[0] for sentence in found.beyond] == ["lamp.mp4,bright,5,8", "lamp.mp4,bright,6.5,8"]
    assert found.num_whole == 1


def test_labels_at_the_centre_of_windows(folder):
    end = read(folder, "lamp.mp4").recordings["lamp.mp4"]
    centre = read(folder, "lamp.mp4", label_at="centre").recordings["lamp.mp4"]
    np.testing.assert_allclose(centre.seconds, end.seconds - 0.3, atol=1e-6)
    for late, early in zip(end.events, centre.events, strict=True):
        assert early.start_seconds == pytest.approx(late.start_seconds - 0.3)
        assert early.end_seconds == pytest.approx(late.end_seconds - 0.3)
        assert early.decided_seconds == late.decided_seconds  # no earlier for that


def test_files_that_can_not_be_read_are_named(folder, tmp_path):
    found = read(folder, "damaged.mp4", "lamp.mp4", "short.mp4", "absent.mp4")
    assert list(found.recordings) == ["lamp.mp4"]
    assert list(found.errors) == ["damaged.mp4", "short.mp4", "absent.mp4"]
    assert all(name in reason for name, reason in found.errors.items())
    assert "window of 4 frames" in found.errors["short.mp4"]
    Path(tmp_path, "steps.csv").write_text("".join(found.lines))
    classes, steps = read_steps(tmp_path / "steps.csv")
    recording = found.recordings["lamp.mp4"]
    assert classes == CLASSES
    assert {step.path for step in steps} == {"lamp.mp4"}
    np.testing.assert_array_equal([step.probabilities for step in steps], recording.probabilities)
    np.testing.assert_allclose([step.seconds for step in steps], recording.seconds, atol=1e-6)
