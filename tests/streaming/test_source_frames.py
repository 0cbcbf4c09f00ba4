"""What an iterator may yield as frames."""

import math

import numpy as np
import pytest

from stvit_video.data.decoding.request import DecodeError
from stvit_video.streaming.source_frames import SourceError, given_frames

PICTURE = np.zeros((5, 7, 3), np.uint8)


def test_pairs_become_frames():
    pictures = [PICTURE, PICTURE + 1]
    frames = list(given_frames(iter([(1, pictures[0]), (np.float32(1.5), pictures[1])])))
    assert [frame.stamp_seconds for frame in frames] == [1.0, 1.5]
    assert all(frame.size == (5, 7) and frame.decode_seconds == 0 for frame in frames)
    assert [frame.picture() is picture for frame, picture in zip(frames, pictures, strict=True)] == [True, True]
    assert frames[0].arrived <= frames[1].arrived


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (PICTURE, "ndarray"),
        (3, "int"),
        ((None, PICTURE), "None"),
        ((math.nan, PICTURE), "nan"),
        ((0.0, PICTURE.astype(np.float32)), "float32"),
        ((0.0, PICTURE[None]), r"\(1, 5, 7, 3\)"),
        ((0.0, PICTURE[..., :2]), r"\(5, 7, 2\)"),
        ((0.0, PICTURE[:0]), r"\(0, 7, 3\)"),
        ((0.0, "picture"), "str"),
    ],
)
def test_what_is_no_frame(item, told):
    frames = given_frames([(0.0, PICTURE), item])
    next(frames)
    with pytest.raises(ValueError, match=rf"\b1 of the iterator .*{told}"):
        next(frames)


def test_callers_that_skip_files_skip_sources():
    assert issubclass(SourceError, DecodeError)
