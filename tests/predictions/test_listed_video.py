"""ListedVideo: what tells videos apart, and its stored form."""

import os
from pathlib import Path

import pytest

from stvit_video.predictions.listed_video import ListedVideo


def test_the_key_is_the_place_and_not_the_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    plain, dotted, absolute = (ListedVideo(name, name) for name in ("a.mp4", "./a.mp4", str(tmp_path / "a.mp4")))
    assert plain.key == dotted.key == absolute.key == (os.path.join(tmp_path, "a.mp4"), None, None)
    assert plain.key != ListedVideo("a.mp4", "a.mp4", 1.0, None).key
    monkeypatch.chdir(tmp_path.parent)
    assert plain.key != absolute.key


def test_the_record_is_of_the_segment_and_named_as_given():
    video = ListedVideo("sub/a.mp4", "/lists/sub/a.mp4", 2.0, 7.5)
    record = video.record()
    assert (record.path, record.start_seconds, record.end_seconds) == (Path("/lists/sub/a.mp4"), 2.0, 7.5)
    assert record.video_id == video.title == "sub/a.mp4#t=2,7.5"
    assert ListedVideo("a", "a", None, 3.0).title == "a#t=0,3"
    assert ListedVideo("a", "a", 3.0).title == "a#t=3,"
    assert ListedVideo("a", "a").title == "a"
    assert ListedVideo("a.jpg", "a.jpg", is_picture=True).record().is_picture


def test_the_stored_form_comes_back_with_the_absolute_path(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    video = ListedVideo("a.mp4", "a.mp4", 1.0, None, False)
    back = ListedVideo.of_stored(video.stored())
    assert back == ListedVideo("a.mp4", str(tmp_path / "a.mp4"), 1.0, None, False)
    assert back.key == video.key


@pytest.mark.parametrize(
    "values", [[], ["a", "b", None, None], ["a", "b", "1", None, False], [1, "b", None, None, True]]
)
def test_other_values_are_refused(values):
    with pytest.raises(ValueError, match="no listed video"):
        ListedVideo.of_stored(values)
