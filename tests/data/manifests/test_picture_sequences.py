"""Frames of videos among listed pictures."""

from pathlib import Path

import pytest

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.picture_sequences import (
    FramePlace,
    FrameRecord,
    coco_frames,
    describe_sequences,
    folder_frames,
    in_sequences,
    require_sequences,
    sequence_rows,
)


def images(*rows):
    return {"images": [{"id": number} | row for number, row in enumerate(rows)]}


def listed(*frames, sizes=None):
    records = [
        FrameRecord(Path(f"{n}.png"), 0, f"{n}.png", is_picture=True, sequence=name, frame_place=place)
        for n, (name, place) in enumerate(frames)
    ]
    for record, size in zip(records, sizes or (), strict=False):
        object.__setattr__(record, "stated_size", size)
    return Manifest(tuple(records), ("cell",))


@pytest.mark.parametrize("keys", [("video", "frame_index"), ("video_id", "frame_id"), ("video_id", "frame_index")])
def test_the_place_of_a_frame_is_its_rank_among_those_of_its_video(keys):
    rows = [("a", 30), ("b", 2), ("a", 10), ("a", 20), ("b", 1)]
    frames, found = coco_frames(images(*[dict(zip(keys, row, strict=True)) for row in rows], {}))
    expected = [("a", 2), ("b", 1), ("a", 0), ("a", 1), ("b", 0), (None, 0)]
    assert frames == [FramePlace(*frame) for frame in expected]
    assert not found.warnings + found.faults


def test_ids_of_videos_become_the_names_that_the_file_has_for_them():
    document = images({"video_id": 4, "frame_id": 0}, {"video_id": 5, "frame_id": 0})
    frames, _ = coco_frames({**document, "videos": [{"id": 4, "name": "street"}, {"name": "no id"}, 3]})
    assert [frame.sequence for frame in frames] == ["street", "5"]


@pytest.mark.parametrize("number", [None, "3", 2.5, True])
def test_a_frame_without_a_number_is_of_no_sequence_and_counted(number):
    rows = [{"video": "a", "frame_index": 1}, {"video": "a", "frame_index": number}, {"video": "b"}]
    frames, found = coco_frames(images(*rows))
    assert frames == [FramePlace("a", 0), FramePlace(), FramePlace()]
    assert len(found.warnings) == 1
    assert "2 of 3 images" in found.warnings[0]
    assert "first: 1, 2;" in found.warnings[0]


def test_a_video_that_lists_a_frame_twice_is_no_sequence():
    rows = [("a", 1), ("b", 1), ("a", 1), ("b", 2)]
    frames, found = coco_frames(images(*({"video": name, "frame_index": number} for name, number in rows)))
    assert frames == [FramePlace(), FramePlace("b", 0), FramePlace(), FramePlace("b", 1)]
    assert "1 of 2 videos" in found.warnings[0]
    assert "first: a;" in found.warnings[0]


def test_folders_are_sequences_in_the_order_of_the_numbers_in_their_names():
    names = ["a/10.png", "a/2.png", "top.png", "b/c/x.png", "a/1b.png", "a/1a.png"]
    expected = [("a", 3), ("a", 2), (None, 0), ("b/c", 0), ("a", 1), ("a", 0)]
    assert folder_frames(names) == [FramePlace(*frame) for frame in expected]


def test_rows_of_sequences_stand_in_order_and_other_pictures_alone():
    manifest = listed(("b", 1), (None, 0), ("a", 1), ("b", 0), (None, 0), ("a", 0), ("b", 2))
    assert sequence_rows(manifest) == [[3, 0, 6], [1], [5, 2], [4]]
    videos = Manifest((VideoRecord(Path("x.mp4"), 0, "x.mp4"),) * 2, ("run",))
    assert sequence_rows(videos) == [[0], [1]]


def test_what_needs_sequences_says_so_where_there_are_none_or_they_change_their_size():
    require_sequences(listed(("a", 0), ("a", 1), (None, 0), sizes=[(3, 5), (3, 5), (9, 9)]), setting="key_every=4")
    with pytest.raises(ManifestError, match=r"^key_every=4 .* none of the 3 listed pictures .*data\.sequences=folders"):
        require_sequences(listed(("a", 0), ("b", 0), (None, 0)), setting="key_every=4")
    changing = listed(("a", 0), ("a", 1), ("b", 0), ("b", 1), sizes=[(3, 5), (3, 5), (4, 5), (3, 5)])
    with pytest.raises(ManifestError, match=r"1 of 2 sequences change it, first: b;"):
        require_sequences(changing, setting="key_every=4")


def test_a_list_can_take_its_folders_as_sequences():
    manifest = listed(("a", 4), (None, 0))
    object.__setattr__(manifest.records[0], "video_id", "street/9.png")
    object.__setattr__(manifest.records[1], "video_id", "street/10.png")
    assert in_sequences(manifest, "listed") is manifest
    found = in_sequences(manifest, "folders")
    assert [(record.sequence, record.frame_place) for record in found.records] == [("street", 0), ("street", 1)]
    assert found.classes == manifest.classes


def test_sequences_in_words():
    frames = [("a", 0), ("a", 1), (None, 0), ("b", 0), ("b", 1), ("c", 0)]
    assert describe_sequences(listed(*frames)) == "4 of 6 pictures are frames of 2 videos, 2 frames each"
    assert describe_sequences(listed(*frames, ("b", 2))) == "5 of 7 pictures are frames of 2 videos, 2 to 3 frames each"
    assert describe_sequences(listed(("a", 0), (None, 0))) == ""
