"""Notes of a window that is begun anew: told one by one, and counted where there are many."""

import pytest

from stvit_video.streaming.stream_notes import Note, gathered, note_words, seconds_words


def gap(seconds):
    return Note(kind="gap", words=f"a gap of {seconds} s", seconds=seconds)


SIZE = Note(kind="size", words="from 2x3 to 5x7")


def test_one_of_each_kind_is_told_by_itself():
    assert note_words(gathered([SIZE], [gap(2.5)])) == "from 2x3 to 5x7; a gap of 2.5 s"
    assert note_words(gathered()) == ""


def test_many_of_a_kind_are_counted_with_the_longest():
    notes = ()
    for number in range(12):
        notes = gathered(notes, [gap(3.25 if number == 7 else 0.5)])
    assert note_words(gathered(notes, [SIZE])) == "12 gaps, the longest 3.2 s; from 2x3 to 5x7"
    assert len(notes) == 1


@pytest.mark.parametrize("kind", ["connection", "size"])
def test_the_last_words_stand_for_those_before(kind):
    notes = [Note(kind=kind, words=words) for words in ("first", "second", "third")]
    assert note_words(gathered(notes)).startswith("third (the last of 3 ")


def test_a_clock_that_ran_back_often():
    notes = [Note(kind="clock", words="", seconds=seconds) for seconds in (1.5, 9.0, 2.0)]
    assert note_words(gathered(notes)) == "its time stamps ran back 3 times, by 9.0 s at most"


@pytest.mark.parametrize(("seconds", "words"), [(12.34, "12.3 s"), (0.16, "0.16 s"), (0.0367, "0.037 s")])
def test_short_times_are_not_rounded_to_nothing(seconds, words):
    assert seconds_words(seconds) == words
