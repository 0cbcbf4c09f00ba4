"""Videos in shards: the frames of the files themselves, bit for bit, by every backend; and what can go wrong."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from tar_maker import write_tar
from video_cases import each
from video_maker import make_video

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards import tar_reader
from stvit_video.data.shards.locations import file_system
from stvit_video.data.shards.tar_reader import FetchError, member_file, open_member, read_member
from stvit_video.data.shards.tar_scan import scan_shard


def records_of(shard, *, address=""):
    return [
        VideoRecord(shard, 0, m.name, member=m.name, byte_range=(m.first_byte, m.num_bytes), address=address)
        for m in scan_shard(shard, None)
    ]


@pytest.fixture
def shard(tmp_path):
    """A shard of three videos, one of them no video."""
    members = {}
    for name, num_frames in (("a", 7), ("b", 5)):
        members[f"{name}.mp4"] = make_video(tmp_path / f"{name}.mp4", num_frames=num_frames).read_bytes()
        members[f"{name}.cls"] = 0
    return write_tar(tmp_path / "0.tar", members | {"c.mp4": b"no video" * 99, "c.cls": 0})


@pytest.mark.parametrize("case", each(["short_32.mp4", "animated.gif", "rotated_90.mov", "plain.mkv"]), indirect=True)
def test_frames_are_those_of_the_file(tmp_path, case):
    content, ending = case.path.read_bytes(), case.path.suffix
    members = {f"first{ending}": content[:99], "first.cls": 0, f"x{ending}": content, "x.cls": 0}
    record = records_of(write_tar(tmp_path / "0.tar", members))[1]
    with open_member(record) as inside, open_video(case.path) as outside:
        assert (inside.num_frames, inside.fps, inside.backend) == (outside.num_frames, outside.fps, outside.backend)
        indices = range(0, outside.num_frames, 7)
        assert (inside.read(indices) == outside.read(indices)).all()


@pytest.mark.parametrize("backend", ["pyav", "decord"])
def test_every_backend_reads_backwards_and_leaves_nothing_open(shard, tmp_path, backend):
    if backend == "decord":
        pytest.importorskip("decord", reason="decord is not installed")
    first = records_of(shard)[0]
    with open_video(tmp_path / "a.mp4") as video:
        expected = video.read([6, 0, 3])
    open_before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with open_member(first, backend=backend) as video:
            found = [video.read([index])[0] for index in (6, 0, 3)]
        assert all((frame == wanted).all() for frame, wanted in zip(found, expected, strict=True))
    assert len(os.listdir("/proc/self/fd")) <= open_before + 2  # the decoding process waits for the next video


def test_errors_name_the_shard_and_the_member(shard):
    broken = records_of(shard)[2]
    with pytest.raises(DecodeError) as caught, open_member(broken):
        pass
    assert str(caught.value).startswith(f"can't decode '{shard}: c.mp4' with backend 'pyav': it is not a video")
    assert "/proc/" not in str(caught.value)
    with (
        open_member(records_of(shard)[1]) as video,
        pytest.raises(ValueError, match=r"frame 5 .*0\.tar: b\.mp4'.*\b0 to 4\b"),
    ):
        video.read([5])


def test_a_shard_that_is_not_as_its_index_says(shard):
    first, second, _ = records_of(shard)
    swapped = VideoRecord(shard, 0, "x", member="a.mp4", byte_range=second.byte_range)
    # the whole sentence, once for its family
    whole = (
        rf"^{re.escape(str(shard))}: a\.mp4 is not where index\.csv says: the shard has been written anew; "
        r"delete that index\.csv$"
    )
    with pytest.raises(DecodeError, match=whole):
        read_member(swapped)
    shard.write_bytes(shard.read_bytes()[: first.byte_range[0] + 1000])
    with pytest.raises(DecodeError, match=rf"a\.mp4 .*cut short.*\b{first.byte_range[1] - 1000} bytes"):
        read_member(first)
    with pytest.raises(DecodeError, match=r"b\.mp4 .*not where index\.csv says"):
        read_member(second)
    shard.unlink()
    with pytest.raises(FetchError, match=r"0\.tar: a\.mp4: .*\(No such file"):
        read_member(first)


@pytest.mark.parametrize("where", ["memory", "folder", "no /proc"])
def test_the_copy_is_there_for_other_processes_and_goes_with_the_block(shard, tmp_path, monkeypatch, where):
    monkeypatch.setattr(tar_reader, "MEMORY_BYTES", 2**28 if where == "memory" else 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    if where == "no /proc":
        monkeypatch.setattr(tar_reader, "DESCRIPTORS", "/nowhere")
    (tmp_path / "tmp").mkdir()
    record = records_of(shard)[1]
    with member_file(record) as path:
        told = subprocess.run([sys.executable, "-c", f"print(len(open({path!r}, 'rb').read()))"], capture_output=True)
        assert int(told.stdout) == record.byte_range[1] == os.path.getsize(path)
        assert len(list((tmp_path / "tmp").iterdir())) == (where == "no /proc")
    assert not os.path.exists(path)
    assert not list((tmp_path / "tmp").iterdir())


def test_no_room_for_the_copy(shard, monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr(tar_reader, "_new_file", lambda *_: full)
        message = r"can't copy .*0\.tar: a\.mp4 .*\(No space left on device\)"
        with pytest.raises(FetchError, match=message), member_file(records_of(shard)[0]):
            pass


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs Linux")
def test_a_killed_process_leaves_no_copy(shard, tmp_path):
    (tmp_path / "tmp").mkdir()
    record = records_of(shard)[0]
    text = (
        "import sys, time; from pathlib import Path, PosixPath; from stvit_video.data.shards.tar_reader import *\n"
        f"with member_file({record!r}) as path: print(path, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", text],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )
    with process:
        assert process.stdout.readline().startswith("/proc/")
        process.send_signal(signal.SIGKILL)
    assert not list((tmp_path / "tmp").iterdir())


def test_object_stores_give_the_same_bytes_and_are_asked_again(shard, monkeypatch):
    monkeypatch.setattr(tar_reader, "PAUSE_SECONDS", 0.001)
    system, path = file_system("memory://reader/0.tar")
    system.pipe_file(path, shard.read_bytes())
    local, remote = records_of(shard)[1], records_of(shard, address="memory://reader/0.tar")[1]
    with open_member(remote) as inside, open_member(local) as outside:
        assert torch.equal(torch.from_numpy(inside.read([0, 4])), torch.from_numpy(outside.read([0, 4])))
    asked = []
    cat_file = type(system).cat_file

    def fail(self, *arguments, **options):
        asked.append(arguments)
        if len(asked) in (2, 3, 4, 5):
            raise ConnectionError("the server\nis tired")
        return cat_file(self, *arguments, **options)

    monkeypatch.setattr(type(system), "cat_file", fail)
    assert read_member(remote) == read_member(local)
    with pytest.raises(FetchError, match=r"memory://reader/0\.tar: b\.mp4: the server$"):
        read_member(remote)
    assert len(asked) == 4
    assert read_member(remote) == read_member(local)
    assert len(asked) == 6


def test_a_server_that_hangs_is_given_up(shard, monkeypatch):
    remote = records_of(shard, address="memory://hang/0.tar")[0]
    system, _ = file_system("memory://hang/0.tar")
    monkeypatch.setattr(type(system), "cat_file", lambda *_, **__: time.sleep(2))
    # the whole sentence, once for its family
    whole = r"^can't read memory://hang/0\.tar: a\.mp4: the call took longer than 0\.\d+ s$"
    with pytest.raises(FetchError, match=whole):
        read_member(remote, time_limit_seconds=0.1)
