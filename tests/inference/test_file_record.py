"""The record of a file that a caller names."""

import unicodedata

import pytest

from stvit_video.inference.file_record import file_record


@pytest.mark.parametrize(
    ("name", "num_frames", "is_picture"),
    [("a.png", 1, True), ("a.png", 4, False), ("a.mp4", 1, False), ("a.mp4", 4, False)],
)
def test_pictures_are_for_image_models(tmp_path, name, num_frames, is_picture):
    record = file_record(tmp_path / name, num_frames=num_frames)
    assert (record.path, record.video_id) == (tmp_path / name, str(tmp_path / name))
    assert (record.label, record.is_picture) == (0, is_picture)


def test_a_name_is_found_in_the_form_that_it_has_on_disk(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "fête.mp4") for form in ("NFC", "NFD"))
    (tmp_path / decomposed).touch()
    record = file_record(str(tmp_path / composed), num_frames=4)
    assert (record.path, record.video_id) == (tmp_path / decomposed, str(tmp_path / decomposed))
