"""The journal: what comes back, to the last bit, after an end in the middle of anything."""

import errno
import json
import os

import numpy as np
import pytest
from made_predictions import MADE_WITH, prediction_of, same, videos_of

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions import journal as module
from stvit_video.predictions.journal import Journal
from stvit_video.utils.atomic_files import DiskFullError

ODD = os.fsdecode(b"odd\xff.mp4")
VIDEOS = videos_of("a.mp4", "broken.mp4", ODD, "caf\u00e9\n.mp4", "e.mp4")


def filled(path, *numbers):
    journal = Journal.create(path, MADE_WITH, VIDEOS)
    for number in numbers:
        journal.append(number, prediction_of(VIDEOS[number].path))
    journal.close()
    return journal


def test_all_comes_back_to_the_last_bit(tmp_path):
    filled(tmp_path / "j", 0, 1, 2, 3)
    journal = Journal.read(tmp_path / "j")
    assert (journal.made_with, journal.videos) == (MADE_WITH, VIDEOS)
    assert (journal.missing(), journal.num_failed, journal.has_failed(1), journal.has_failed(0)) == (
        [4],
        1,
        True,
        False,
    )
    found = list(journal.in_order())
    assert [number for number, _ in found] == [0, 1, 2, 3]
    assert all(same(one, prediction_of(VIDEOS[number].path)) for number, one in found)


def test_numbers_that_are_rare_come_back(tmp_path):
    odd = Prediction(labels=("x",), probabilities=(np.float32(0.1),), features=np.array([np.nan, -0.0], np.float32))
    journal = Journal.create(tmp_path / "j", {}, VIDEOS)
    journal.append(0, odd)
    journal.close()
    ((_, back),) = Journal.read(tmp_path / "j").written()
    assert back.probabilities == (float(np.float32(0.1)),)
    assert back.features.tobytes() == odd.features.tobytes()
    assert np.isnan(back.seconds)


def test_two_orders(tmp_path):
    journal = filled(tmp_path / "j", 3, 0)
    assert [number for number, _ in journal.written()] == [3, 0]
    assert [number for number, _ in journal.in_order()] == [0, 3]
    assert [number for number, _ in Journal.read(tmp_path / "j").written()] == [3, 0]


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_line_that_was_cut_short_is_taken_away_and_written_again(tmp_path, cut):
    path = tmp_path / "j"
    filled(path, 0, 1)
    whole = path.read_bytes()
    filled(path, 0, 1, 2)
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal.read(path)
    assert (journal.missing(), path.read_bytes()) == ([2, 3, 4], whole)
    journal.append(2, prediction_of(VIDEOS[2].path))
    journal.close()
    assert Journal.read(path).missing() == [3, 4]


@pytest.mark.parametrize("rest", [b"\0" * 50, b"{}\n", b'{"video": 9}\n', b"[1]\n", b"3\n", b"\xff\n"])
def test_what_a_power_cut_leaves_is_taken_away(tmp_path, rest):
    path = tmp_path / "j"
    filled(path, 0)
    whole = path.read_bytes()
    path.write_bytes(whole + rest + b'{"video": 1}')
    assert Journal.read(path).missing() == [1, 2, 3, 4]
    assert path.read_bytes() == whole


def test_a_journal_is_created_with_predictions_and_digests(tmp_path):
    first = filled(tmp_path / "j", 0, 1)
    (tmp_path / "result").write_bytes(b"rows")
    first.note_result(tmp_path / "result")
    first.close()
    longer = (*videos_of("new.mp4"), *VIDEOS)
    moved = ((number + 1, one) for number, one in first.written())
    second = Journal.create(tmp_path / "j", {"top_k": 1}, longer, predictions=moved, digests=first.digests | {"x"})
    assert second.missing() == [0, 3, 4, 5]
    assert second.has_failed(2)
    assert len(first.digests) == 1
    assert second.digests == first.digests | {"x"}
    assert same(next(one for number, one in second.written() if number == 1), prediction_of(VIDEOS[0].path))


@pytest.mark.parametrize("content", [b"", b"path,label\n", b"{}\n", b"[]\n", b'{"stvit_video.predict": 99}\n', b"\0\0"])
def test_another_file_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(ValueError, match=r"j is no journal of stvit_video.predict.* delete it"):
        Journal.read(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == content


def test_a_full_disk_keeps_the_lines_before(tmp_path, monkeypatch):
    journal = filled(tmp_path / "labels.csv.journal", 0)

    def half(file, content):
        file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_all", half)
        with pytest.raises(DiskFullError, match=r"labels.csv.journal can't be written.*the same command goes on"):
            journal.append(1, prediction_of("b.mp4"))
    journal.close()
    assert Journal.read(journal.path).missing() == [1, 2, 3, 4]


def test_lines_go_to_the_disk_now_and_then_and_at_the_end(tmp_path, monkeypatch):
    clock, synced = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module.os, "fsync", lambda number: synced.append(clock[0]))
    journal = Journal.create(tmp_path / "j", {}, VIDEOS)
    synced.clear()
    for clock[0] in (1.0, 4.0, 5.5, 6.0, 11.0):
        journal.append(0, prediction_of("a.mp4"))
    clock[0] = 12.0
    journal.close()
    assert synced == [5.5, 11.0, 12.0]


def test_the_lines_are_ascii_json(tmp_path):
    filled(tmp_path / "j", 2, 3)
    lines = (tmp_path / "j").read_bytes().decode("ascii").splitlines()
    assert [json.loads(line).get("video") for line in lines] == [None, 2, 3]
