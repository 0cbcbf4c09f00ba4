"""Shards as they are written: complete, in a seeded order, found again by a second run, and none of them half."""

import errno
import hashlib
import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from tar_maker import samples, write_tar

from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.shards import tar_writer
from stvit_video.data.shards.tar_writer import Packed, PackingError, plan_shards, sample_keys, write_shard, write_shards
from stvit_video.utils.atomic_files import DiskFullError

SIZES = [5, 50, 7, 300, 11, 13, 40, 2, 90, 1, 60]


def test_a_plan_holds_each_video_once_and_keeps_the_limit():
    plan = plan_shards(SIZES, shard_bytes=100, seed=3)
    assert sorted(position for shard in plan for position in shard) == list(range(len(SIZES)))
    totals = [sum(SIZES[position] for position in shard) for shard in plan]
    assert all(total <= 100 or shard == [3] for total, shard in zip(totals, plan, strict=True))
    firsts = [SIZES[shard[0]] for shard in plan[1:]]
    assert all(total + first > 100 for total, first in zip(totals[:-1], firsts, strict=True))  # none ends early
    assert plan == plan_shards(SIZES, shard_bytes=100, seed=3) != plan_shards(SIZES, shard_bytes=100, seed=4)
    assert [len(shard) for shard in plan_shards(SIZES, videos_per_shard=4)] == [4, 4, 3]
    assert plan_shards([], videos_per_shard=4) == []


@pytest.mark.parametrize(
    ("limits", "given"),
    [
        ({}, "shard_bytes=None, videos_per_shard=None"),
        ({"shard_bytes": 5, "videos_per_shard": 2}, "shard_bytes=5, videos_per_shard=2"),
        ({"videos_per_shard": 0}, "videos_per_shard=0"),
        ({"shard_bytes": 5, "seed": -1}, "seed=-1"),
    ],
)
def test_limits_that_are_none(limits, given):
    with pytest.raises(ValueError, match=rf"{given}.*at least 1\b.*seed .*at least 0\b"):
        plan_shards(SIZES, **limits)


def test_keys_are_unique_and_have_no_dots():
    names = ["v1.0 final", "v1_0_final", "V1_0_FINAL", "", "läuft", "x" * 200, "x" * 100, "a/b", "v1_0_final-2"]
    keys = sample_keys(names)
    assert keys[:5] == ["v1_0_final", "v1_0_final-2", "V1_0_FINAL-3", "video", "l_uft"]
    assert keys[5:] == ["x" * 80, "x" * 80 + "-2", "a_b", "v1_0_final-2-2"]
    assert len({key.casefold() for key in keys}) == len(names)


@pytest.fixture
def videos(tmp_path):
    """Eleven files of different sizes as videos of three classes."""
    found = []
    for number, size in enumerate(SIZES):
        path = tmp_path / "in" / f"v{number}.MP4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes([number]) * size)
        found.append(Packed(path, f"v{number}", size, "abc"[number % 3], number % 3, f"in/v{number}.MP4", "train"))
    return found


def contents(folder):
    with_bytes = {}
    for record in read_shard_manifest(str(folder)).records:
        first, size = record.byte_range
        with_bytes[record.video_id] = record.path.read_bytes()[first : first + size]
    return with_bytes


def test_shards_hold_every_byte_and_what_webdataset_reads(videos, tmp_path):
    folder = tmp_path / "out"
    assert write_shards(videos, folder=folder, videos_per_shard=4) == {"done": 3, "kept": 0}
    assert sorted(path.name for path in folder.iterdir()) == ["000000.tar", "000001.tar", "000002.tar", "index.csv"]
    assert contents(folder) == {video.video_id: video.source.read_bytes() for video in videos}
    names = []
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            names += tar.getnames()
            info = next(member for member in tar if member.name == f"{tar.getnames()[0][:-4]}.json")
            note = json.load(tar.extractfile(info))
            video = tar.extractfile(tar.getnames()[0]).read()
            assert note["sha256"] == hashlib.sha256(video).hexdigest()
            assert note["split"] == "train"
    assert Counter(name.split(".")[1] for name in names) == {"mp4": 11, "cls": 11, "json": 11}
    assert all(names[i].split(".")[0] == names[i + 2].split(".")[0] for i in range(0, 33, 3))  # samples in one piece


def test_a_second_run_keeps_what_is_there_and_writes_what_is_not(videos, tmp_path):
    folder = tmp_path / "out"
    write_shards(videos, folder=folder, shard_bytes=100, seed=1)
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.tar")}
    (folder / "000001.tar").unlink()
    assert write_shards(videos, folder=folder, shard_bytes=100, seed=1) == {"done": 1, "kept": len(before) - 1}
    after = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.tar")}
    assert {name: content for name, (_, content) in before.items()} == {name: c for name, (_, c) in after.items()}
    assert [name for name in before if before[name][0] != after[name][0]] == ["000001.tar"]
    assert len(contents(folder)) == len(videos)


def test_other_shards_are_never_replaced(videos, tmp_path):
    folder = tmp_path / "out"
    write_shards(videos, folder=folder, videos_per_shard=4)
    # the whole sentence, once for its family
    message = (
        r"000000\.tar is there and is not what this list, size and seed make of it; remove the old shards, or choose "
        "another folder$"
    )
    for change in ({"seed": 1}, {"videos_per_shard": 5}):
        with pytest.raises(PackingError, match=message):
            write_shards(videos, folder=folder, **{"videos_per_shard": 4, **change})
    with pytest.raises(PackingError, match=r"000001\.tar .*none of the 1 shards\b"):
        write_shards(videos, folder=folder, videos_per_shard=99)
    write_tar(folder / "000000.tar", samples("mine"))
    with pytest.raises(PackingError, match=message):
        write_shards(videos, folder=folder, videos_per_shard=4)


class FullDisk:
    """`open` of a disk that has room for so many bytes."""

    def __init__(self, room):
        self.room = room

    def __call__(self, path, mode="r", **options):
        file = open(path, mode, **options)  # noqa: SIM115
        if "w" in mode:
            write = file.write

            def count(content):
                self.room -= len(content)
                if self.room < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return write(content)

            file = _Counting(file, count)
        return file


class _Counting:
    def __init__(self, file, write):
        self._file, self.write = file, write

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


def test_a_full_disk_leaves_whole_shards_and_the_next_run_goes_on(videos, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    disk = FullDisk(50_000)
    with monkeypatch.context() as patched:
        patched.setattr(tar_writer.Path, "open", lambda path, mode="r", **options: disk(path, mode, **options))
        message = r"no room .*00000\d\.tar; \d of 6 shards\b"
        with pytest.raises(DiskFullError, match=message):
            write_shards(videos, folder=folder, videos_per_shard=2)
    done = sorted(path.name for path in folder.iterdir())
    assert 0 < len(done) < 6
    assert all(name.endswith(".tar") for name in done)  # no part
    counts = write_shards(videos, folder=folder, videos_per_shard=2)
    assert counts == {"done": 6 - len(done), "kept": len(done)}
    assert len(contents(folder)) == len(videos)


def test_what_changes_or_reads_back_wrongly_gets_no_name(videos, tmp_path, monkeypatch):
    videos[3].source.write_bytes(b"longer now" * 99)
    with pytest.raises(PackingError, match=r"v3\.MP4 has 990 bytes and had 300\b"):
        write_shard(tmp_path / "0.tar", videos[2:4])
    seen = tar_writer.hashlib.sha256
    with monkeypatch.context() as patched:
        patched.setattr(tar_writer._Hashed, "read", lambda self, n: self._file.read(n).replace(b"\2", b"\3"))
        patched.setattr(tar_writer.hashlib, "sha256", seen)
        with pytest.raises(PackingError, match=r"0\.tar reads back other bytes\b"):
            write_shard(tmp_path / "0.tar", videos[2:3])
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    huge = Packed(videos[0].source, "v", 2**33, "a", 0, "v")
    with pytest.raises(PackingError, match=r"v0\.MP4 .*8589934592 bytes; .*at most 8589934591$"):
        write_shards([huge], folder=tmp_path, videos_per_shard=1)


def test_an_ogg_with_pictures_gets_the_ending_that_readers_know():
    names = [Packed(Path(f"a{ending}"), "v", 1, "x", 0, "v").name for ending in (".ogg", ".OGG", ".MTS")]
    assert names == ["v.ogv", "v.ogv", "v.mts"]
