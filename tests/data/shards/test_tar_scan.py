"""What is in a shard, against tars made by hand: byte ranges by slicing the file, and every fault in its words."""

import random
import re
import tarfile

import pytest
from tar_maker import samples, write_tar

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.shards.tar_scan import Member, scan_shard


def scan(path):
    faults = Faults("shards")
    members = scan_shard(path, faults)
    faults.raise_if_any()
    return members


def test_members_lie_where_they_are_said_to_lie(tmp_path):
    content = {f"v{number}": random.Random(number).randbytes(size) for number, size in enumerate((1, 511, 512, 5000))}
    members = {}
    for name, video in content.items():
        members |= {f"{name}.mkv": video, f"{name}.json": {"label": "run"}}
    shard = write_tar(tmp_path / "a.tar", members)
    found = scan(shard)
    stored = shard.read_bytes()
    assert [stored[m.first_byte :][: m.num_bytes] for m in found] == list(content.values())
    assert [m.name for m in found] == ["v0.mkv", "v1.mkv", "v2.mkv", "v3.mkv"]


def test_what_samples_say_of_their_videos(tmp_path):
    note = {"label": "run", "video_id": "x/1", "split": "val", "start_seconds": 1, "end_seconds": 2.5, "other": [3]}
    shard = write_tar(
        tmp_path / "a.tar",
        {"a.cls": 7, "a.mp4": b"1", "a.json": note, "d/b.mp4": b"22", "d/b.cls": "3\n", "c.json": {"label": 5}}
        | {"c.part.MP4": b"333", "c.txt": "a caption"},
    )
    places = [(m.name, m.num_bytes) for m in scan(shard)]
    assert places == [("a.mp4", 1), ("d/b.mp4", 2), ("c.part.MP4", 3)]
    assert [m[3:] for m in scan(shard)] == [
        ("run", "7", "x/1", "val", 1.0, 2.5),
        ("", "3", "d/b.mp4", "", None, None),
        ("", "5", "c.part.MP4", "", None, None),
    ]


def test_long_names_and_names_beyond_ascii(tmp_path):
    names = ["d" * 90 + "/" + "v" * 60, "läuft 跑"]
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(tmp_path / "a.tar", "w", format=format) as tar:
            for name in names:
                (tmp_path / "video").write_bytes(name.encode())
                tar.add(tmp_path / "video", f"{name}.mp4")
                (tmp_path / "video").write_bytes(b"4")
                tar.add(tmp_path / "video", f"{name}.cls")
        stored = (tmp_path / "a.tar").read_bytes()
        assert [stored[m.first_byte :][: m.num_bytes].decode() for m in scan(tmp_path / "a.tar")] == names


def test_what_is_no_part_of_a_sample_is_counted(tmp_path, caplog):
    shard = write_tar(tmp_path / "a.tar", {".hidden": b"x", "noending": b"y"} | samples("a"))
    assert len(scan(shard)) == 1
    [message] = caplog.messages
    assert re.search(rf"^{re.escape(str(shard))}: 2 members .*no sample .*: \.hidden$", message)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, r"a\.tar .*no sample\b"),
        (
            {"a.mp4": b"1", "a.webm": b"2", "a.cls": 1},
            r"a\.mp4 and a\.webm .*one sample\b",
        ),
        ({"a.b.mp4": b"1", "a.c.mp4": b"2", "a.cls": 1}, r"a\.b\.mp4 and a\.c\.mp4 .*one sample\b"),
        ({"a.cls": 1}, r"a\.tar: sample a .*no video\b"),
        # the whole sentence, once for its family
        (
            {"a.mp4": b"1"},
            r"1 fault\(s\):\n  .*a\.tar: a\.mp4 has no label; "
            r"add a\.json with a label, or a\.cls with the number of the class$",
        ),
        ({"a.mp4": b"1", "a.json": {"id": 3}}, r"1 fault\(s\):\n  .*a\.tar: a\.mp4 has no label\b"),
        ({"a.mp4": b"1", "a.json": {"label": ["x", "y"]}}, r"a\.mp4: .*label is \['x', 'y'\]; .*\bone\b"),
        ({"a.mp4": b"1", "a.json": "label"}, r"a\.mp4: a\.json .*no JSON object"),
        ({"a.mp4": b"1", "a.cls": "run"}, r"a\.mp4: .*\.cls is 'run'; .*number .*from 0$"),
        ({"a.mp4": b"", "a.cls": "1"}, r"a\.mp4 is empty\b"),
        ({"a.mp4": b"1", "a.cls": 1, "a.json": {"start_seconds": -1}}, "a.mp4: start_seconds=-1 .*no number"),
        ({"a.mp4": b"1", "a.cls": "1" * (2**20 + 1)}, r"a\.cls .*1048577 bytes; .*1048576\b"),
    ],
)
def test_faulty_samples(tmp_path, members, message):
    with pytest.raises(ManifestError, match=message):
        scan(write_tar(tmp_path / "a.tar", members))


def test_every_cut_is_seen(tmp_path):
    shard = write_tar(tmp_path / "a.tar", samples("abc", "def", "ghi"))
    whole = shard.read_bytes()
    end = max(m.first_byte for m in scan(shard)) + 3 * 512  # the last video, and the header and text of its .json
    for size in (*range(1, end, 317), 512, 1024, 3 * 512, end):
        shard.write_bytes(whole[:size])
        with pytest.raises(ManifestError, match=r"cut short|can't be read as a plain tar"):
            scan(shard)


def test_a_damaged_header_does_not_hide_what_follows(tmp_path):
    shard = write_tar(tmp_path / "a.tar", samples("abc", "def", "ghi"))
    content = bytearray(shard.read_bytes())
    second = next(m for m in scan(shard) if m.name == "def.mp4")
    content[second.first_byte - 512 + 150] ^= 1  # its checksum
    shard.write_bytes(content)
    # the whole sentence, once for its family
    message = rf"a\.tar has no end mark at byte {second.first_byte - 512}: it is cut short or damaged; get it anew$"
    with pytest.raises(ManifestError, match=message):
        scan(shard)


def test_compressed_and_joined_tars_are_refused(tmp_path):
    packed = write_tar(tmp_path / "a.tar", samples("a"), mode="w:gz")
    with pytest.raises(ManifestError, match=r"a\.tar .*plain tar .*without compression"):
        scan(packed)
    one, other = (write_tar(tmp_path / f"{name}.tar", samples(name)) for name in "bc")
    one.write_bytes(one.read_bytes() + other.read_bytes())
    with pytest.raises(ManifestError, match=r"b\.tar .*end mark at byte 2048 .*several tars"):
        scan(one)


def test_a_member_is_a_row():
    assert Member("a.mp4", 512, 3, "run", "", "a.mp4")[6:] == ("", None, None)
