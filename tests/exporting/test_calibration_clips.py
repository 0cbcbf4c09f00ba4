"""Clips to calibrate with: of the training list, of a folder, spread over them; what can't be read is counted."""

from dataclasses import replace

import numpy as np
import pytest

from stvit_video.exporting.calibration_clips import calibration_clips, calibration_records, spread_places
from stvit_video.inference.model_input import model_input
from stvit_video.inference.recognizer import load_recognizer


@pytest.fixture(scope="module")
def trained(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=1, num_crops=1)


def test_the_training_list_gives_what_the_model_sees_in_tests(trained, tiny_run):
    records = calibration_records(trained, None)
    assert [record.path.name for record in records] == [video.name for video in tiny_run.videos]
    clips, num_failed = calibration_clips(trained, records, num_clips=7)
    assert (len(clips), num_failed) == (3, 0)
    sizes = trained.preprocessing
    for clip, video in zip(clips, tiny_run.videos, strict=True):
        assert (clip.shape, clip.dtype) == ((1, 4, 16, 16, 3), np.uint8)
        normalised = (clip[0] / 255 - np.array(sizes.mean)) / np.array(sizes.std)
        seen = model_input(trained, video).views[0].permute(1, 2, 3, 0).numpy()  # (T, H, W, 3)
        np.testing.assert_allclose(normalised, seen, atol=1e-5)


def test_a_folder_a_list_and_a_file_that_cannot_be_read(trained, tiny_run, tmp_path):
    folder = tiny_run.videos[0].parent
    assert len(calibration_records(trained, folder)) == 3
    assert len(calibration_records(trained, tiny_run.manifest)) == 3
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    records = (*calibration_records(trained, folder), *calibration_records(trained, tmp_path))
    clips, num_failed = calibration_clips(trained, records, num_clips=4)
    assert (len(clips), num_failed) == (3, 1)
    with pytest.raises(ValueError, match=r"none of 1 videos .*broken\.mp4.*calibration=FOLDER_OR_LIST"):
        calibration_clips(trained, records[3:], num_clips=4)


def test_without_the_training_list_it_says_what_to_give(trained):
    gone = replace(trained, config={"data": {**trained.config["data"], "train": "/nowhere/train.csv"}})
    for other in (gone, replace(trained, config={})):
        with pytest.raises(
            ValueError, match=r"precision=int8 needs videos to calibrate with.*calibration=FOLDER_OR_LIST$"
        ):
            calibration_records(other, None)


@pytest.mark.parametrize(
    ("count", "wanted", "places"), [(10, 5, [0, 2, 4, 6, 8]), (3, 7, [0, 1, 2]), (7, 3, [0, 2, 4]), (0, 3, [])]
)
def test_places_are_spread(count, wanted, places):
    assert spread_places(count, wanted) == places
