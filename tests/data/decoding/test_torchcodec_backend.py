"""torchcodec's guard and checks with a stand-in, and the real one where it is installed (an optional extra)."""

import re
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from video_cases import both
from video_maker import make_video, whole_file

from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.torchcodec_backend import TorchcodecReader, torchcodec_refusal
from stvit_video.data.decoding.video import open_video
from stvit_video.utils.optional import MissingLibraryError


class FakeDecoder:
    """torchcodec's VideoDecoder over given frames: what it was made with, and the faults it is told to have."""

    frames, count, shift_seconds, sleep_seconds = np.zeros((3, 70, 98, 3), np.uint8), 3, 0.0, 0.0

    def __init__(self, path, **settings):
        self.made_with = (path, settings)

    def __len__(self):
        return self.count

    def get_frames_at(self, indices):
        import time

        time.sleep(self.sleep_seconds)
        seconds = torch.tensor([index / 25 for index in indices], dtype=torch.float64) + self.shift_seconds
        return SimpleNamespace(data=torch.from_numpy(self.frames[indices]), pts_seconds=seconds)


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """The stand-in's class in place of torchcodec, with the frames of a clip of 3."""
    path = make_video(tmp_path / "clip.mp4", num_frames=3)
    package, module = ModuleType("torchcodec"), ModuleType("torchcodec.decoders")
    module.VideoDecoder = type("Fake", (FakeDecoder,), {"frames": whole_file(path)})
    monkeypatch.setitem(sys.modules, "torchcodec", package)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", module)
    return SimpleNamespace(decoder=module.VideoDecoder, path=path)


def reader(path, *, seconds=10.0):
    source = DecodeRequest(str(path), "torchcodec", seconds)
    return TorchcodecReader(source, probe_video(source, DecodeRequest("", "", 10.0).deadline()), source.deadline())


def read(opened, indices):
    return opened.read(indices, DecodeRequest("", "", 10.0).deadline())


def test_it_is_asked_for_exact_frames_on_one_thread(fake):
    opened = reader(fake.path)
    np.testing.assert_array_equal(read(opened, [2, 0, 2]), fake.decoder.frames[[2, 0, 2]])
    path, settings = opened._video.made_with
    assert path == str(fake.path)
    assert settings == {"dimension_order": "NHWC", "num_ffmpeg_threads": 1, "seek_mode": "exact"}
    opened.close()
    opened.close()


def test_an_answer_that_is_not_the_index_is_an_error(fake):
    fake.decoder.shift_seconds = 0.04
    with pytest.raises(DecodeError, match=r"torchcodec .*\b0\.08 s .*frame 1 .*\b0\.04 s"):
        read(reader(fake.path), [1])
    fake.decoder.frames = fake.decoder.frames[:, :68]
    with pytest.raises(DecodeError, match=r"torchcodec .*\(1, 68, 98, 3\) instead of \(1, 70, 98, 3\)"):
        read(reader(fake.path), [1])
    fake.decoder.count = 4
    with pytest.raises(
        DecodeError,
        match="torchcodec counts 4 frames where the packets hold 3$",
    ):
        reader(fake.path)


def test_what_it_raises_and_where_it_hangs_is_an_error(fake):
    with pytest.raises(DecodeError, match=r"clip\.mp4' .*torchcodec says: index 5 is out"):
        read(reader(fake.path), [5])
    fake.decoder.sleep_seconds = 1.0
    opened = reader(fake.path)
    with pytest.raises(DecodeTimeoutError, match="call of torchcodec .*time limit of 10 s"):
        opened.read([1], DecodeRequest("", "", 0.05).deadline())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"distrust": "1 of its 4 packets are damaged"}, "^1 of its 4 packets are damaged$"),
        ({"codec": "mpeg4"}, "codec 'mpeg4' .*round"),
        ({"flipped": True}, "stored mirrored"),
        ({"num_video_streams": 2}, r"\b2 video streams"),
        ({"open_gop": True}, "keyframes .*no clean restarts"),
    ],
)
def test_each_guard_rule_alone(tmp_path, change, text):
    source = DecodeRequest(str(make_video(tmp_path / "clip.mp4", num_frames=3)), "torchcodec", 10.0)
    index = probe_video(source, source.deadline())
    assert torchcodec_refusal(index) is None
    refusal = torchcodec_refusal(replace(index, **change))
    assert re.search(text, refusal)
    with pytest.raises(DecodeError, match=f"torchcodec is not safe .*{re.escape(refusal)};"):
        TorchcodecReader(source, replace(index, **change), source.deadline())


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_without_the_library_the_answer_is_a_clear_sentence(case, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    with pytest.raises(MissingLibraryError, match=r"backend='torchcodec' .*pip install torchcodec"):
        open_video(case.path, backend="torchcodec")


@pytest.mark.parametrize("case", both("rotated_90.mov"), indirect=True)
def test_the_real_one_gives_the_same_frames(case):
    try:
        with open_video(case.path, backend="torchcodec") as video:
            frames = video.read([2, 0])
    except MissingLibraryError as error:
        pytest.skip(f"torchcodec is an optional extra: {error}")
    np.testing.assert_array_equal(frames, whole_file(case.path, clockwise_degrees=90)[[2, 0]])
