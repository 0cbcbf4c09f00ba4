"""The journal of a search: what is written is read back, a cut line goes, and another search is refused by name."""

import errno

import pytest

from stvit_video.budgets.search_journal import Looked, SearchJournal
from stvit_video.utils.atomic_files import DiskFullError

SEARCHED = {"checkpoint": "ab" * 32, "videos": "60 (digest 12)", "seed": 0, "num_tokens": [8, [1, 2, 2]]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "budget.journal"


@pytest.fixture
def journal(path):
    journal = SearchJournal.create(path, SEARCHED, costs=[1.5, None, 3.0], notes=["a note"])
    journal.append(7, Looked({0: [1.0, 0.75], 2: [0.0, 0.25]}))
    journal.append(3, Looked({}, error="can't decode"))
    journal.append(7, Looked({}, views_at_once={2: 4}, lost={1: "no memory"}))
    yield journal
    journal.close()


def check(journal):
    assert (journal.costs, journal.notes, journal.searched) == ([1.5, None, 3.0], ["a note"], SEARCHED)
    assert journal.values[7] == {0: [1.0, 0.75], 2: [0.0, 0.25]}
    assert journal.errors == {3: "can't decode"}
    assert (journal.views_at_once, journal.lost) == ({2: 4}, {1: "no memory"})
    assert journal.missing(7, [0, 1, 2]) == journal.missing(3, [0, 2]) == []
    assert journal.missing(8, [0, 1, 2]) == [0, 2]


def test_what_is_written_is_read_back(journal, path):
    check(journal)
    journal.close()
    again = SearchJournal.reopen(path, SEARCHED)
    check(again)
    again.close()


@pytest.mark.parametrize("tail", [b'{"video":8,"values":{"0":[1.0', b"\x00\x00\n", b"[]\n", b'{"video":8}\n'])
def test_a_line_that_is_not_whole_is_taken_away(journal, path, tail):
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    again = SearchJournal.reopen(path, SEARCHED)
    check(again)
    assert path.read_bytes() == whole
    again.append(8, Looked({0: [1.0, 0.5]}))
    again.close()
    last = SearchJournal.reopen(path, SEARCHED)
    assert last.values[8] == {0: [1.0, 0.5]}
    last.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"checkpoint": "cd" * 32}, "another checkpoint .*abababababab then, cdcdcdcdcdcd now[)]"),
        ({"videos": "40 (digest 13)"}, r"videos=60 \(digest 12\) then, 40 \(digest 13\) now"),
        ({"num_tokens": [8]}, r"num_tokens=8,\[1, 2, 2\] then, 8 now"),
        ({"seed": 1}, "seed=0 then, 1 now"),
    ],
)
def test_another_search_is_refused_by_name(journal, path, change, words):
    journal.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"{words}; .*out=FOLDER, or delete"):
        SearchJournal.reopen(path, SEARCHED | change)
    assert path.read_bytes() == before


def test_no_journal_is_none_and_another_file_is_refused(path):
    assert SearchJournal.reopen(path, SEARCHED) is None
    for content in (b"", b"hello\n", b'{"stvit_video.budget":99}\n'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no journal of stvit_video.budget"):
            SearchJournal.reopen(path, SEARCHED)
        assert path.read_bytes() == content


def test_a_full_disk_is_told_and_leaves_a_journal_that_goes_on(journal, path, monkeypatch):
    def full(file, content):
        file.write(content[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stvit_video.budgets.search_journal.write_all", full)
    with pytest.raises(DiskFullError, match="kept in budget.journal"):
        journal.append(9, Looked({0: [1.0, 0.5]}))
    journal.close()
    again = SearchJournal.reopen(path, SEARCHED)
    check(again)
    again.close()
