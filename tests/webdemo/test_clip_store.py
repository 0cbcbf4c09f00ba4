"""Clips come, are kept for their visitor and go; folders of processes that were killed go, those in use stay."""

import os
import time
from pathlib import Path

import pytest

from stvit_video.utils.file_lock import file_lock
from stvit_video.webdemo.clip_store import (
    LOCK,
    PREFIX,
    UNCLAIMED_SECONDS,
    BusyError,
    ClipStore,
    open_store,
    remove_left_folders,
)


@pytest.fixture
def store(tmp_path):
    return ClipStore(tmp_path, keep_seconds=60.0, max_clips=3)


def add(store: ClipStore, content: bytes = b"x") -> tuple[str, Path]:
    token, path = store.new()
    path.write_bytes(content)
    store.received(token)
    return token, path


def test_a_token_names_a_file_and_nothing_else_does(store):
    token, path = add(store)
    assert store.path_of(token) == path
    for other in (None, 3, {"token": token}, "", token[:-1], str(path), path.name, "../" + path.name):
        assert store.path_of(other) is None
    assert token not in path.name
    assert len({add(store)[0], token}) == 2


def take(store: ClipStore, token: str, session: str) -> Path | None:
    """What a page does that has nothing else to wait for."""
    store.claim(token, session)
    return store.path_of(token, session=session)


def test_a_visitor_keeps_one_clip_and_takes_it_along(store):
    first, second = add(store), add(store)
    other = add(store)
    assert take(store, first[0], "a") == first[1]
    assert take(store, other[0], "b") == other[1]
    assert take(store, first[0], "a") == first[1]
    assert take(store, second[0], "a") == second[1]
    assert (first[1].exists(), second[1].exists(), other[1].exists()) == (False, True, True)
    assert store.path_of(first[0]) is None
    store.drop_session("a")
    store.drop_session("nobody")
    store.drop_session(None)
    assert (second[1].exists(), other[1].exists()) == (False, True)


def test_clips_that_a_page_has_changed_quickly_go_with_the_last_one(store):
    first, second, third = add(store), add(store), add(store)
    for token, _ in (first, second, third):
        store.claim(token, "a")
    store.claim("nothing", "a")
    assert store.path_of(first[0], session="a") == first[1]  # its turn has come late; the newer ones stay
    assert store.path_of(third[0], session="a") == third[1]
    assert (first[1].exists(), second[1].exists(), third[1].exists()) == (False, False, True)
    again = add(store)
    store.claim(again[0], "a")
    store.drop_session("a")  # closed while a clip waits
    assert (third[1].exists(), again[1].exists()) == (False, False)


def test_a_clip_that_is_claimed_again_is_the_newest(store):
    first, second = add(store), add(store)
    for token in (first[0], second[0], first[0]):
        store.claim(token, "a")
    assert store.path_of(first[0], session="a") == first[1]
    assert (first[1].exists(), second[1].exists()) == (True, False)


def test_an_example_that_waits_twice_does_not_take_the_place_of_a_newer_clip(store, tmp_path):
    examples = ["example-0", "example-1", "example-2"]
    for name in examples:
        store.keep(name, tmp_path / name)
        store.claim(name, "a")
    assert store.path_of("example-0", session="a") is not None  # the others wait
    sent = add(store)
    for token in (*examples, sent[0]):
        store.claim(token, "a")
    for token in (*examples[1:], *examples):
        assert store.path_of(token, session="a") == tmp_path / token
    assert store.path_of(sent[0], session="a") == sent[1]


def test_clips_that_no_page_claims_go_soon(store, monkeypatch):
    claimed, unclaimed = add(store), add(store)
    coming = store.new()
    store.claim(claimed[0], "a")
    later = time.monotonic() + UNCLAIMED_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    store.drop_old()
    assert (claimed[1].exists(), unclaimed[1].exists()) == (True, False)
    assert store.path_of(coming[0]) == coming[1]


def test_a_visitor_takes_no_more_places_than_some(tmp_path):
    store = ClipStore(tmp_path, keep_seconds=60.0, max_clips=5, max_of_visitor=2)
    (kept, _), _ = store.new("one"), store.new("one")
    with pytest.raises(BusyError, match="keeps 2 clips of your address"):
        store.new("one")
    store.received(kept)  # and no page has claimed it, so it makes room
    store.new("one")
    assert store.path_of(kept) is None
    for visitor in ("two", "two", "three"):
        store.claim(store.new(visitor)[0], visitor)
    with pytest.raises(BusyError, match="keeps 5 clips of visitors"):
        store.new("three")


def test_visitors_that_nobody_can_tell_apart_share_all_places(tmp_path):
    store = ClipStore(tmp_path, keep_seconds=60.0, max_clips=5, max_of_visitor=2)
    for number in range(5):
        store.claim(store.new()[0], f"page {number}")
    with pytest.raises(BusyError, match="keeps 5 clips of visitors"):
        store.new()


def test_sessions_that_have_gone_are_forgotten(store, tmp_path):
    store.keep("example-0", tmp_path / "example.mp4")
    token, _ = add(store)
    for session in ("a", "b", "c"):
        take(store, "example-0", session)
    store.claim(token, "d")
    store.drop_old()
    assert list(store._of_session) == ["d"]


def test_there_is_room_for_so_many(store):
    tokens = [add(store)[0] for _ in range(3)]
    for token in tokens:
        store.claim(token, token)
    with pytest.raises(BusyError, match="try again"):
        store.new()
    store.drop(tokens[1])
    store.drop(tokens[1])
    add(store)


def test_old_clips_go_and_lasting_ones_stay(store, tmp_path, monkeypatch):
    lasting = tmp_path / "example.mp4"
    lasting.write_bytes(b"e")
    store.keep("example-0", lasting)
    used, unused = add(store), add(store)
    start = time.monotonic()
    store.claim(used[0], "b")
    take(store, unused[0], "a")
    monkeypatch.setattr(time, "monotonic", lambda: start + 59.0)
    assert store.path_of(used[0]) == used[1]
    monkeypatch.setattr(time, "monotonic", lambda: start + 61.0)
    store.drop_old()
    store.drop("example-0")
    assert (used[1].exists(), unused[1].exists()) == (True, False)
    assert store.path_of("example-0", session="a") == lasting
    monkeypatch.setattr(time, "monotonic", lambda: start + 200.0)
    add(store), add(store), add(store)  # which makes room by itself
    assert not used[1].exists()


def test_the_folder_is_private_and_goes_at_the_end(tmp_path):
    with open_store(root=tmp_path) as store:
        folder = store.folder.parent
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o077 == 0
        add(store)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt):
        end_early(tmp_path)
    assert list(tmp_path.iterdir()) == []


def end_early(root):
    with open_store(root=root) as store:
        add(store)
        raise KeyboardInterrupt


def test_old_clips_go_without_a_visitor(tmp_path):
    with open_store(keep_seconds=0.05, root=tmp_path) as store:
        _, path = add(store)
        end = time.monotonic() + 60
        while path.exists() and time.monotonic() < end:
            time.sleep(0.01)
        assert not path.exists()


def test_folders_that_were_left_go_and_others_stay(tmp_path):
    left, used, young, other = (tmp_path / f"{PREFIX}{name}" for name in ("left", "used", "young", "other"))
    other = tmp_path / "another_program"
    for folder in (left, used, young, other):
        (folder / "clips").mkdir(parents=True)
        (folder / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(other)
    long_ago = time.time() - 3600
    for folder in (left, used, other):
        os.utime(folder, (long_ago, long_ago))
    with file_lock(used / LOCK):
        os.utime(used, (long_ago, long_ago))
        assert remove_left_folders(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [used.name, young.name, other.name, f"{PREFIX}link"]
    )
