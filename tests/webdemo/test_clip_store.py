"""Clips come, are kept for their visitor and go; folders of processes that were killed go, those in use stay."""

import os
import time
from pathlib import Path

import pytest

from stvit_video.utils.file_lock import file_lock
from stvit_video.webdemo.clip_store import LOCK, PREFIX, BusyError, ClipStore, open_store, remove_left_folders


@pytest.fixture
def store(tmp_path):
    return ClipStore(tmp_path, keep_seconds=60.0, max_clips=3)


def add(store: ClipStore, content: bytes = b"x") -> tuple[str, Path]:
    token, path = store.new()
    path.write_bytes(content)
    return token, path


def test_a_token_names_a_file_and_nothing_else_does(store):
    token, path = add(store)
    assert store.path_of(token) == path
    for other in (None, 3, {"token": token}, "", token[:-1], str(path), path.name, "../" + path.name):
        assert store.path_of(other) is None
    assert token not in path.name
    assert len({add(store)[0], token}) == 2


def test_a_visitor_keeps_one_clip_and_takes_it_along(store):
    first, second = add(store), add(store)
    other = add(store)
    assert store.path_of(first[0], session="a") == first[1]
    assert store.path_of(other[0], session="b") == other[1]
    assert store.path_of(first[0], session="a") == first[1]
    assert store.path_of(second[0], session="a") == second[1]
    assert (first[1].exists(), second[1].exists(), other[1].exists()) == (False, True, True)
    assert store.path_of(first[0]) is None
    store.drop_session("a")
    store.drop_session("nobody")
    store.drop_session(None)
    assert (second[1].exists(), other[1].exists()) == (False, True)


def test_there_is_room_for_so_many(store):
    tokens = [add(store)[0] for _ in range(3)]
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
    store.path_of(unused[0], session="a")
    start = time.monotonic()
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
