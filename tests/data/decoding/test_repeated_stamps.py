"""Time stamps that repeat or run backwards: every number gives its own frame, in whatever order one asks."""

import numpy as np
import pytest
from real_data import real_file
from stamped_video import picture_number, stamped_video

from stvit_video.data.decoding.video import open_video

EVEN = [33 * number for number in range(24)]
STAMPS = {
    "two share one": [*EVEN[:10], EVEN[9], *EVEN[11:]],
    "three share one": [*EVEN[:10], EVEN[9], EVEN[9], *EVEN[12:]],
    "first ones": [0, 0, 0, *EVEN[3:]],
    "last ones": [*EVEN[:22], EVEN[21], EVEN[21]],
    "every second": [stamp - stamp % 66 for stamp in EVEN],
    "all": [0] * 24,
    "one step back": [*EVEN[:10], EVEN[11], EVEN[10], *EVEN[12:]],
    "one far ahead": [*EVEN[:10], 5000, *EVEN[11:]],
    "back and equal": [*EVEN[:10], EVEN[9], EVEN[8], *EVEN[12:]],
}
CODECS = {
    "vp8.webm": ("libvpx", {}),
    "vp9.webm": ("libvpx-vp9", {"cpu-used": "8", "g": "7"}),
    "mjpeg.mkv": ("mjpeg", {}),
    "h264.mkv": ("libx264", {"preset": "ultrafast", "bf": "0", "g": "7"}),
    "h264_reordered.mkv": ("libx264", {"preset": "ultrafast", "bf": "3", "g": "7"}),
}
BACKWARDS = ("one step back", "one far ahead")
CASES = [(name, stamps) for name in CODECS for stamps in STAMPS if not ("reordered" in name and stamps in BACKWARDS)]


@pytest.mark.parametrize(("name", "stamps"), CASES)
def test_every_number_gives_its_own_frame(tmp_path, name, stamps):
    codec, options = CODECS[name]
    path = stamped_video(tmp_path / name, STAMPS[stamps], codec=codec, options=options)
    disorder = [int(number) for number in np.random.default_rng(3).permutation(24)]
    with open_video(path) as video:
        assert video.num_frames == 24
        assert [picture_number(frame) for frame in video.read(disorder)] == disorder
        for number in disorder[:7]:
            assert picture_number(video.read([number])[0]) == number


@pytest.mark.real_data
def test_a_recording_that_repeats_two_of_thirty():
    with open_video(real_file("data", "field_cases", "dup_pts.webm")) as video:
        assert video.num_frames == 30
        whole = video.read(range(30))
        disorder = np.random.default_rng(3).permutation(30)
        np.testing.assert_array_equal(video.read(disorder), whole[disorder])
        assert len(np.unique(whole.reshape(30, -1), axis=0)) > 20  # not the same frame over and over
