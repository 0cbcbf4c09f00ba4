"""From frames with time stamps to those that the model sees."""

import numpy as np
import pytest

from stvit_video.streaming.frame_choice import ChosenFrame, FrameChooser
from stvit_video.streaming.source_frames import SourceFrame
from stvit_video.streaming.stream_notes import Note, note_words
from stvit_video.streaming.stream_step import StreamSummary
from stvit_video.streaming.time_sampling import StampClock


def frames_of(stamps, *, sizes=None, made=None, decode_seconds=0.5):
    """Frames whose pictures are filled with their number."""
    for number, stamp in enumerate(stamps):
        size = (5, 7) if sizes is None else sizes[number]

        def picture(number=number, size=size):
            if made is not None:
                made.append(number)
            return np.full((*size, 3), number, np.uint8)

        yield SourceFrame(
            stamp_seconds=stamp, size=size, arrived=100.0 + number, decode_seconds=decode_seconds, picture=picture
        )


def chooser(*, num_frames=4, frame_stride=2, target_fps=None, interval=0.1):
    summary = StreamSummary(source="x")
    one = FrameChooser(
        num_frames=num_frames,
        frame_stride=frame_stride,
        target_fps=target_fps,
        clock=StampClock(),
        summary=summary,
    )
    one.begin(interval)
    return one, summary


def told(chosen):
    return [(int(one.picture[0, 0, 0]), one.seconds) for one in chosen]


def test_only_chosen_frames_become_pictures_and_all_are_counted():
    made = []
    one, summary = chooser()
    chosen = list(one.chosen(frames_of([3 + number / 10 for number in range(7)], made=made)))
    assert made == [0, 2, 4, 6]
    assert [int(frame.picture[0, 0, 0]) for frame in chosen] == made
    assert [frame.seconds[0] for frame in chosen] == pytest.approx([0.0, 0.2, 0.4, 0.6])
    assert [frame.arrived for frame in chosen] == [100, 102, 104, 106]
    assert [round(frame.decode_seconds, 2) for frame in chosen] == [0.5, 1.0, 1.0, 1.0]
    assert (summary.frames_read, summary.frames_chosen) == (7, 4)
    assert summary.fps == pytest.approx(5.0)
    assert summary.source_seconds == pytest.approx(0.6)
    assert summary.decode_seconds == pytest.approx(3.5, abs=0.05)


def test_a_frame_that_stood_long_comes_again_when_the_next_one_is_there():
    one, summary = chooser(frame_stride=1)
    chosen = list(one.chosen(frames_of([0.0, 0.1, 0.45])))
    assert [number for number, _ in told(chosen)] == [0, 1, 1, 2]
    assert chosen[2].seconds == pytest.approx((0.2, 0.3, 0.4))
    assert chosen[2].arrived == chosen[3].arrived == 102
    assert summary.frames_chosen == 6


def test_another_size_begins_anew():
    one, _ = chooser(frame_stride=1)
    chosen = list(one.chosen(frames_of([0.0, 0.1, 0.35], sizes=[(5, 7), (5, 7), (9, 6)])))
    assert [(number, *seconds) for number, seconds in told(chosen)] == [(0, 0.0), (1, 0.1), (2, 0.35)]
    assert [note_words(frame.notes) for frame in chosen] == ["", "", "its pictures changed from 7x5 to 6x9 pixels"]


def test_the_note_of_a_frame_that_is_not_chosen_goes_to_the_next_that_is():
    one, _ = chooser(frame_stride=1, target_fps=5.0)
    stamps = [10.0, 10.1, 2.0, 2.1, 2.2]
    chosen = list(one.chosen(frames_of(stamps)))
    assert [number for number, _ in told(chosen)] == [0, 2, 4]
    assert [bool(frame.notes) for frame in chosen] == [False, True, False]


def test_a_source_opened_anew_keeps_its_rate():
    one, summary = chooser(interval=0.1)
    list(one.chosen(frames_of([0.0, 0.1])))
    one.begin(0.05)
    chosen = list(one.chosen(frames_of([7.0, 7.05, 7.1, 7.15, 7.2, 7.25, 7.3])))
    assert summary.fps == pytest.approx(5.0)
    assert len(chosen) == 2  # 0.35 s


def test_after_a_dropped_frame():
    picture = np.zeros((1, 1, 3), np.uint8)
    notes = (Note(kind="gap", words="a", seconds=2.0), Note(kind="size", words="b"))
    first = ChosenFrame(picture=picture, seconds=(0.0,), arrived=1.0, decode_seconds=0.5, notes=notes[:1])
    second = ChosenFrame(picture=picture, seconds=(0.1,), arrived=2.0, decode_seconds=0.25, notes=notes[1:])
    both = second.after(first)
    assert (both.notes, both.decode_seconds, both.seconds, both.arrived) == (notes, 0.75, (0.1,), 2.0)


def test_a_gap_longer_than_a_window_is_told():
    one, _ = chooser(frame_stride=1)
    chosen = list(one.chosen(frames_of([0.0, 0.1, 0.2, 0.8, 0.9])))
    assert [frame.seconds for frame in chosen][-2:] == [pytest.approx((0.8,)), pytest.approx((0.9,))]
    assert [note_words(frame.notes) for frame in chosen][3:] == ["a gap of 0.6 s, longer than the window of 0.4 s", ""]


def test_a_gap_of_a_window_is_none():
    one, _ = chooser(frame_stride=1)
    assert not any(frame.notes for frame in one.chosen(frames_of([0.0, 0.1, 0.5, 0.6])))


def test_a_window_of_one_frame_goes_on_with_the_next_one():
    """From one frame to the next is as long as the window, and a little longer in floats: 0.4 - 0.3 is above 0.1."""
    one, _ = chooser(num_frames=1, frame_stride=1)
    assert not any(frame.notes for frame in one.chosen(frames_of([number / 10 for number in range(20)])))
    assert any(frame.notes for frame in one.chosen(frames_of([2.3])))


def test_a_source_opened_anew_with_a_note():
    one, _ = chooser(frame_stride=1)
    list(one.chosen(frames_of([0.0, 0.1])))
    one.begin(0.1, note=Note(kind="connection", words="lost"))
    chosen = list(one.chosen(frames_of([5.0, 5.1])))
    assert [note_words(frame.notes) for frame in chosen] == ["lost", ""]


def test_a_rate_above_that_of_the_source():
    _, summary = chooser(target_fps=10.05)  # a rate that is rounded
    assert summary.notes == []
    _, summary = chooser(target_fps=15.0)
    assert summary.notes == ["x has 10 frames a second; frames are repeated for target_fps=15"]
    with pytest.raises(ValueError, match=r"target_fps=21 is .* twice the 10 frames a second of x; use at most 20"):
        chooser(target_fps=21.0)
