"""When it is told that a machine is too slow."""

import pytest

from stvit_video.streaming.late_watch import LateWatch
from stvit_video.streaming.stream_step import StreamSummary


def notes_of(counts):
    """Notes after looks at (seconds, chosen, dropped) of a source."""
    summary = StreamSummary(source="x")
    watch = LateWatch(summary)
    for summary.source_seconds, summary.frames_chosen, summary.frames_dropped in counts:
        watch.look()
    return summary.notes


@pytest.mark.parametrize(
    "counts",
    [
        [(seconds, 10 * seconds, 5 * seconds) for seconds in range(60)],  # half of them
        [(9.9, 100, 99)],
        [(10, 100, 20), (19.9, 200, 119)],
    ],
)
def test_little_or_short(counts):
    assert notes_of(counts) == []


def test_most_frames_for_ten_seconds():
    (note,) = notes_of([(12.0, 100, 20), *((12.0 + n, 100 + 10 * n, 20 + 7 * n) for n in range(60))])
    assert "70 of 100 frames of the last 10 s" in note
    assert "on_late=wait" in note
