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
    with pytest.raises(ValueError, match="a#t=1.mp4 lasts 4 s, and the segment of 'sit' goes from 5.0 to 4.0 s"):
        found.truth(length_seconds=4.0)


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
