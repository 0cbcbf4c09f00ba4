"""Prepared videos in shards: a folder for each split, the ids of the manifest, and nobody's sight of this machine."""

import os

import pytest
from video_maker import make_video

from stvit_video.data.curation import pack_shards
from stvit_video.data.curation.pack_shards import pack_clips, parse_bytes
from stvit_video.data.curation.prepare_videos import Clip, write_lists
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.shards.tar_writer import PackingError


@pytest.fixture
def clips(tmp_path):
    """Five clips of three classes and two splits, of which one is empty, one gone and one left out already."""
    found = []
    for number, (name, label, split) in enumerate(
        [
            ("a b", "run", "train"),
            ("c.d", "jump", "train"),
            ("e", "walk", "val"),
            ("f", "run", "val"),
            ("g", "run", "val"),
        ]
    ):
        path = tmp_path / "k" / label / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "f" else b"video" * (number + 1))
        found.append(Clip(path, label, split, reason="it is broken" if name == "g" else ""))
    return [*found, Clip(tmp_path / "gone.mp4", "run", "val")]


@pytest.fixture(autouse=True)
def any_bytes_are_a_video(monkeypatch, request):
    if "real" not in request.node.name:
        monkeypatch.setattr(pack_shards, "probe_video", _size_alone)


def _size_alone(source, deadline):
    if not os.path.exists(source.path):
        raise DecodeError(f"{source.path} does not exist")
    if not os.path.getsize(source.path):
        raise DecodeError(f"{source.path} is empty")


def test_real_files_that_are_no_videos_are_left_out_with_the_reason(tmp_path):
    sound, damaged = make_video(tmp_path / "a.mp4", num_frames=3), tmp_path / "b.mp4"
    damaged.write_bytes(sound.read_bytes()[:500])
    clips, splits = pack([Clip(sound, "run", ""), Clip(damaged, "run", "")], tmp_path)
    assert [split.num_videos for split in splits] == [1]
    assert clips[0].reason == ""
    assert "b.mp4' with backend 'pyav': " in clips[1].reason


def pack(clips, tmp_path, **options):
    folder = tmp_path / "shards"
    return pack_clips(
        clips, folder=folder, manifest_path=tmp_path / "k" / "all.csv", **{"videos_per_shard": 1} | options
    )


def named(manifest: Manifest):
    return {record.video_id: manifest.classes[record.label] for record in manifest.records}


def test_splits_have_their_folders_and_ids_are_those_of_the_manifest(clips, tmp_path):
    packed, splits = pack(clips, tmp_path)
    shards = tmp_path / "shards"
    assert splits == [(shards / "train", 2, {"done": 2, "kept": 0}), (shards / "val", 1, {"done": 1, "kept": 0})]
    write_lists(packed, manifest_path=tmp_path / "k" / "all.csv", left_out_path=tmp_path / "left.csv")
    for split in ("train", "val"):
        listed = read_csv_manifest(tmp_path / "k" / "all.csv", split=split)
        assert named(read_shard_manifest(str(shards / split))) == named(listed)
        assert (shards / split / "classes.txt").read_text() == "jump\nrun\nwalk\n"
    assert [clip.reason for clip in packed[2:]] == [
        "",
        f"{tmp_path}/k/run/f.mp4 is empty",
        "it is broken",
        f"{tmp_path}/gone.mp4 does not exist",
    ]
    assert pack(clips, tmp_path)[1][0].num_shards == {"done": 0, "kept": 2}


def test_numbers_are_those_of_all_classes(clips, tmp_path):
    pack(clips, tmp_path)
    text = (tmp_path / "shards" / "val" / "index.csv").read_text()
    assert ",walk,2,walk/e.mp4,val," in text


def test_paths_of_this_machine_stay_out_and_no_split_needs_no_folder(tmp_path):
    clips = []
    for folder in ("x", "y"):
        path = tmp_path / folder / "v.1.mp4"
        path.parent.mkdir()
        path.write_bytes(folder.encode())
        clips.append(Clip(path, "run", ""))
    _, splits = pack(clips, tmp_path)
    assert [split.folder for split in splits] == [tmp_path / "shards"]
    assert set(named(read_shard_manifest(str(tmp_path / "shards")))) == {"v_1", "v_1-2"}
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in (tmp_path / "shards").iterdir())


def test_parts_of_files_must_be_cut_first(clips, tmp_path):
    part = Clip(clips[0].path, "run", "train", 3.0, None)
    # the whole sentence, once for its family
    whole = (
        r"^1 videos are parts of longer files, first: .*/a b\.mp4; shards hold whole files, so cut them with "
        "transcode=true$"
    )
    with pytest.raises(PackingError, match=whole):
        pack([*clips, part], tmp_path)


@pytest.mark.parametrize(
    ("text", "number"), [("1GB", 10**9), ("1.5 kb", 1500), ("7", 7), ("500M", None), ("2 TB", 2 * 10**12)]
)
def test_sizes(text, number):
    if number is None:
        # the whole sentence, once for its family
        with pytest.raises(ValueError, match="^'500M' is no size; write e.g. 500MB or 1GB$"):
            parse_bytes(text)
    else:
        assert parse_bytes(text) == number


@pytest.mark.parametrize("text", ["", "GB", "0GB", "-1MB", "infGB", "nan", "1BG"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match=rf"^{text!r} is no size\b"):
        parse_bytes(text)
