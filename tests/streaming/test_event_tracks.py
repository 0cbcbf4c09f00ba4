"""events.jsonl and events.vtt: lines of one event, and a track that a player reads as it was meant."""

import json

import av
import pytest

from stvit_video.streaming.event_tracks import (
    clock_words,
    event_record,
    event_words,
    read_event_records,
    same_event,
    webvtt,
)
from stvit_video.streaming.events import Event

BEGIN = Event("fall & <cry>", 3.2004, None, 4.1, 0.61234567)
END = Event("fall & <cry>", 3.2004, 5.25, 4.1, 0.8)
OTHER = Event("run", 1.0, None, 4.5, 0.55)


def write(path, *pairs):
    path.write_text("".join(json.dumps(event_record(number, event)) + "\n" for number, event in pairs))
    return path


def test_begin_and_end_are_one_event(tmp_path):
    assert same_event(BEGIN) == same_event(END) != same_event(OTHER)
    records = read_event_records(write(tmp_path / "e.jsonl", (1, BEGIN), (2, OTHER), (1, END)))
    assert [(record["event"], record["label"], record["end_seconds"]) for record in records] == [
        (1, "fall & <cry>", 5.25),
        (2, "run", None),
    ]
    assert records[0] == {
        "event": 1, "label": "fall & <cry>", "start_seconds": 3.2, "end_seconds": 5.25, "decided_seconds": 4.1,
        "probability": 0.8,
    }  # fmt: skip


def test_a_line_that_was_cut_short_is_left_out(tmp_path):
    file = write(tmp_path / "e.jsonl", (1, BEGIN), (1, END))
    whole = file.read_bytes()
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        records = read_event_records(file)
        assert len(records) <= 1
        assert len(records) == (b"\n" in whole[:size])


def test_a_line_that_is_no_event(tmp_path):
    for text in ("{}\n", "[1]\n", "fall\n", "\n"):
        (tmp_path / "e.jsonl").write_text(text)
        with pytest.raises(ValueError, match="line 1 of .* no event; .*start_seconds"):
            read_event_records(tmp_path / "e.jsonl")


def test_the_track_by_hand():
    records = [event_record(1, BEGIN), event_record(2, OTHER), event_record(3, Event("late", 36_000.5, None, 0, 1))]
    assert webvtt(records, end_seconds=6.0) == (
        "WEBVTT\n\n2\n00:00:01.000 --> 00:00:06.000\nrun\n\n"
        "1\n00:00:03.200 --> 00:00:06.000\nfall &amp; &lt;cry&gt;\n\n"
        "3\n10:00:00.500 --> 10:00:00.501\nlate\n"
    )
    assert webvtt([], end_seconds=0.0) == "WEBVTT\n"
    assert (
        "-->" not in webvtt([event_record(1, Event("a --> b\n\nc", -1.0, 0.2, 0, 1))], end_seconds=9).split("\n", 4)[4]
    )


def test_the_track_as_ffmpeg_reads_it(tmp_path):
    file = tmp_path / "events.vtt"
    ends = [
        Event("a\n\nb", 0.25, 1.5, 1.0, 0.9),
        Event("c", 59.9996, 61.0, 60.0, 0.9),
        Event("d", 3600, 7325.125, 0, 1),
    ]
    records = [event_record(number, event) for number, event in enumerate(ends, start=1)]
    file.write_text(webvtt(records, end_seconds=8000.0))
    with av.open(str(file)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        (stream,) = container.streams
        found = [(float(p.pts * p.time_base), float(p.duration * p.time_base), bytes(p)) for p in packets]
    assert stream.codec_context.name == "webvtt"
    assert [text for _, _, text in found] == [b"a b", b"c", b"d"]
    times = [value for start, length, _ in found for value in (start, length)]
    assert times == pytest.approx([0.25, 1.25, 60.0, 1.0, 3600.0, 3725.125])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (65.0, "1:05.0"),
        (3725.04, "1:02:05.0"),
        (59.96, "1:00.0"),
        (0.0, "0:00.0"),
        (-5.25, "-0:05.2"),
        (36e3, "10:00:00.0"),
    ],
)
def test_times_in_words(seconds, text):
    assert clock_words(seconds) == text
    assert clock_words(seconds, has_tenths=False) == text[:-2]


def test_the_line_of_an_event():
    assert event_words(BEGIN) == "0:04.1  fall & <cry>: since 0:03.2, probability 0.61"
    assert event_words(END) == "0:05.2  fall & <cry>: over after 2.0 s, probability 0.80"
