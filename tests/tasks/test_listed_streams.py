from pathlib import Path

import pytest

from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord
from stvit_video.evaluation.streaming.labelled_time import LabelledSegment
from stvit_video.tasks.listed_streams import listed_streams

A, B = Path("/videos/a#t=1.mp4"), Path("/videos/b.mp4")


def record(path, label, start=None, end=None, **more):
    times = "" if (start, end) == (None, None) else f"#t={start},{end}"
    return VideoRecord(path, label, f"{path.name}{times}", start, end, **more)


def test_each_file_once_in_the_order_of_the_list():
    records = (record(B, 0, 1.0, 2.0), record(A, 1), record(B, 1, 2.5, 4.0))
    found = listed_streams(Manifest(records, ("run", "sit")))
    assert [(one.path, one.name, len(one.records)) for one in found] == [(B, "b.mp4", 2), (A, "a#t=1.mp4", 1)]
    assert found[0].truth(length_seconds=9.0).segments == (
        LabelledSegment("run", 1.0, 2.0),
        LabelledSegment("sit", 2.5, 4.0),
    )
    assert found[1].truth(length_seconds=9.0).segments == (LabelledSegment("sit", 0.0, 9.0),)


def test_several_labels_and_none():
    records = (
        record(A, NO_SINGLE_LABEL, 0.0, 2.0, labels=(0, 2)),
        record(A, NO_SINGLE_LABEL, 2.0, 3.0, labels=()),
        record(A, NO_SINGLE_LABEL, 5.0, labels=(1,)),
    )
    (found,) = listed_streams(Manifest(records, ("run", "sit", "wave"), multi_label=True))
    labels = [(one.label, one.start_seconds, one.end_seconds) for one in found.truth(length_seconds=8.0).segments]
    assert labels == [("run", 0.0, 2.0), ("wave", 0.0, 2.0), (None, 2.0, 3.0), ("sit", 5.0, 8.0)]
    assert not found.is_whole


def test_segments_beyond_the_end_of_the_file_are_cut_or_left_out():
    records = (record(B, 0, 1.0, 3.9), record(B, 1, 3.5, 4.04), record(B, 0, 3.0, 9.0), record(B, 1, 4.0, 5.0))
    (found,) = listed_streams(Manifest((*records, record(B, 0, 7.5), record(B, 1)), ("run", "sit")))
    truth = found.truth(length_seconds=4.0)
    times = [(one.start_seconds, one.end_seconds) for one in truth.segments]
    assert times == [(1.0, 3.9), (3.5, 4.0), (3.0, 4.0), (0.0, 4.0)]
    assert truth.seconds == 4.0
    assert found.beyond(length_seconds=4.0, slack_seconds=0.05) == [
        "b.mp4,run,3,9 is cut at the end of the video, 4.00 s",
        "b.mp4,sit,4,5 begins behind the end of the video, which lasts 4.00 s; it is left out",
        "b.mp4,run,7.5, begins behind the end of the video, which lasts 4.00 s; it is left out",
    ]
    assert "b.mp4,sit,3.5,4.04 is cut" in found.beyond(length_seconds=4.0, slack_seconds=0.03)[0]
    assert found.is_whole


def test_a_file_all_of_whose_segments_are_outside_has_no_labelled_time():
    (found,) = listed_streams(Manifest((record(B, 0, 5.0, 6.0),), ("run", "sit")))
    truth = found.truth(length_seconds=4.0)
    assert (truth.segments, truth.seconds) == ((), 0.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"path": Path("0.tar"), "member": "a.mp4"}, "0.tar: a.mp4 is in an archive, and stream=true reads files"),
        ({"path": Path("a.png"), "is_picture": True}, "a.png is a picture, and stream=true reads videos"),
    ],
)
def test_what_is_no_video_file(wrong, message):
    odd = VideoRecord(label=0, video_id="odd", **wrong)
    with pytest.raises(ValueError, match=message):
        listed_streams(Manifest((record(A, 0), odd), ("run", "sit")))
