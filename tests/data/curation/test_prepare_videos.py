"""From a Kinetics CSV to a manifest: both naming habits, every row in one of two lists, resumable, atomic."""

import csv
import os
import re
import shutil
import time
from functools import partial
from pathlib import Path

import pytest
from process_work import copy_on_a_full_disk, fake_copy
from video_maker import make_video

from stvit_video.data.curation.prepare_videos import Clip, copy_clips, find_clips, write_lists
from stvit_video.data.curation.transcode import Encoding
from stvit_video.data.decoding.video import open_video
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.utils.atomic_files import DiskFullError, remove_stale_parts

ROWS = """label,youtube_id,time_start,time_end,split,is_cc
arm wrestling,AAAAAAAAAAA,12,22,val,0
biking,-BBBBBBBBBB,1,2,train,0
biking,CCCCCCCCCCC,1,11,train,1
biking,DDDDDDDDDDD,5,15,val,0
"""
SMALL = Encoding(short_side=48, gop=7, preset="ultrafast")
OPTIONS = {"encoding": SMALL, "num_workers": 2, "show_progress": False}


@pytest.fixture
def downloads(tmp_path, get_case):
    """Two good files, a broken one, a missing one; the CSV beside them."""
    folder = tmp_path / "downloads"
    (folder / "arm_wrestling").mkdir(parents=True)
    (folder / "biking").mkdir()
    make_video(folder / "arm_wrestling" / "AAAAAAAAAAA_000012_000022.mp4")
    make_video(folder / "-BBBBBBBBBB.mkv", num_frames=60)
    shutil.copy(get_case("corrupted.mp4").path, folder / "biking" / "CCCCCCCCCCC_000001_000011.mp4")
    (tmp_path / "all.csv").write_text(ROWS)
    return folder


def find(downloads, **options):
    return find_clips(downloads.parent / "all.csv", video_dir=downloads, **options)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_clips_by_hand(downloads):
    clips = find(downloads)
    assert [str(clip.path.relative_to(downloads)) for clip in clips[:3]] == [
        "arm_wrestling/AAAAAAAAAAA_000012_000022.mp4",
        "-BBBBBBBBBB.mkv",
        "biking/CCCCCCCCCCC_000001_000011.mp4",
    ]
    assert [clip.label for clip in clips] == ["arm wrestling", "biking", "biking", "biking"]
    assert [clip.split for clip in clips] == ["val", "train", "train", "val"]
    assert [clip.reason for clip in clips] == ["", "", "", f"there is no video of DDDDDDDDDDD in {downloads}"]
    assert {(clip.start_seconds, clip.end_seconds) for clip in clips} == {(None, None)}
    cut = find(downloads, split="train", untrimmed=True)
    assert [(clip.start_seconds, clip.end_seconds) for clip in cut] == [(1.0, 2.0), (None, None)]


def test_faults_of_the_csv_are_said(downloads):
    with pytest.raises(ManifestError, match="no row .*split = test; .*: train, val$"):
        find(downloads, split="test")
    with pytest.raises(ManifestError, match="no folder .*gone; correct the folder of the videos"):
        find_clips(downloads.parent / "all.csv", video_dir="gone")


def test_copies_are_made_once_and_every_row_is_in_one_list(downloads, tmp_path):
    folder = tmp_path / "k" / "videos"
    clips, counts = copy_clips(find(downloads, untrimmed=True), folder=folder, **OPTIONS)
    assert counts == {"done": 2, "kept": 0, "failed": 1}
    assert files_in(folder) == ["arm wrestling/AAAAAAAAAAA_000012_000022.mp4", "biking/-BBBBBBBBBB_000001_000002.mp4"]
    assert re.search(r"frame (13 of 35|28 of 50) is lost", clips[2].reason)  # of the made file, of the real one
    with open_video(clips[1].path) as video:
        assert (video.num_frames, min(video.height, video.width)) == (25, 48)
    before = [os.stat(clip.path).st_mtime_ns for clip in clips[:2]]
    again, counts = copy_clips(find(downloads, untrimmed=True), folder=folder, **OPTIONS)
    assert counts == {"done": 0, "kept": 2, "failed": 1}
    assert again == clips
    assert [os.stat(clip.path).st_mtime_ns for clip in clips[:2]] == before
    write_lists(clips, manifest_path=tmp_path / "k" / "all.csv", left_out_path=tmp_path / "k" / "left.csv")
    manifest = read_csv_manifest(tmp_path / "k" / "all.csv", split="train")
    assert [record.video_id for record in manifest.records] == ["videos/biking/-BBBBBBBBBB_000001_000002.mp4"]
    with (tmp_path / "k" / "left.csv").open(newline="") as file:
        left_out = list(csv.DictReader(file))
    assert [(row["label"], row["split"]) for row in left_out] == [("biking", "train"), ("biking", "val")]
    assert [row["reason"] for row in left_out] == [clip.reason for clip in clips[2:]]


def test_a_damaged_copy_is_made_again(downloads, tmp_path):
    clips = find(downloads)[:1]
    (copied,), _ = copy_clips(clips, folder=tmp_path / "k", **OPTIONS)
    copied.path.write_bytes(copied.path.read_bytes()[:-300])
    _, counts = copy_clips(clips, folder=tmp_path / "k", **OPTIONS)
    assert counts == {"done": 1, "kept": 0, "failed": 0}


def test_deadly_and_endless_files_are_listed_and_leave_no_part(tmp_path):
    names = ["a.mp4", "kill.mp4", "hang.mp4", "b.mp4"]
    (tmp_path / "k" / "run").mkdir(parents=True)
    clips = [Clip(tmp_path / name, "run", "val") for name in names]
    for clip in clips:
        clip.path.write_bytes(b"video")
    found, counts = copy_clips(clips, folder=tmp_path / "k", **OPTIONS, copy=fake_copy, time_limit_seconds=0.7)
    assert counts == {"done": 2, "kept": 0, "failed": 2}
    assert [clip.reason for clip in found] == [
        "",
        "copying it failed: its process died (signal SIGSEGV)",
        "copying it failed: its process was ended after the time limit of 0.7 s"
        "; raise time_limit_seconds if the file is merely long",
        "",
    ]
    assert files_in(tmp_path / "k") == ["run/a.mp4", "run/b.mp4"]


def test_a_full_disk_ends_the_run_in_a_sentence_and_what_was_finished_stays(downloads, tmp_path):
    full = partial(copy_on_a_full_disk, encoding=SMALL, time_limit_seconds=20)
    folder = tmp_path / "k"
    # the whole sentence, once for its family
    whole = (
        f"^no room is left for {re.escape(str(folder))}/biking/-BBBBBBBBBB.mp4; 1 of 3 videos are prepared and whole: "
        "make room and run the same command again, it goes on from there$"
    )
    with pytest.raises(DiskFullError, match=whole):
        copy_clips(find(downloads), folder=folder, encoding=SMALL, num_workers=1, copy=full, show_progress=False)
    assert files_in(folder) == ["arm wrestling/AAAAAAAAAAA_000012_000022.mp4"]
    _, counts = copy_clips(find(downloads), folder=folder, **OPTIONS)
    assert counts == {"done": 1, "kept": 1, "failed": 1}


def test_two_originals_of_one_copy_and_a_copy_onto_itself_are_refused(tmp_path):
    clips = [Clip(tmp_path / folder / "v.mp4", "run", "val") for folder in ("a", "b")]
    # the whole sentence, once for its family
    with pytest.raises(
        ValueError, match=r"a/v\.mp4 and .*b/v\.mp4 would both be written to .*run/v\.mp4; rename one of them$"
    ):
        copy_clips(clips, folder=tmp_path / "k", **OPTIONS)
    with pytest.raises(ValueError, match=r"copy of .*run/v\.mp4 .*replace it\b"):
        copy_clips([Clip(tmp_path / "run" / "v.mp4", "run", "val")], folder=tmp_path, **OPTIONS)


def test_stale_parts_go_and_young_ones_stay(tmp_path):
    for name, age in ((".a.mp4.host-1.part", 90_000), (".b.mp4.host-1.part", 100), ("c.mp4", 90_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    assert remove_stale_parts([tmp_path, tmp_path / "gone"]) == 1
    assert files_in(tmp_path) == [".b.mp4.host-1.part", "c.mp4"]


def test_paths_outside_the_manifests_folder_are_absolute(tmp_path):
    clips = [Clip(Path("elsewhere/v, w.mp4"), "run", "", 1.5, None)]
    write_lists(clips, manifest_path=tmp_path / "m.csv", left_out_path=tmp_path / "l.csv")
    text = (tmp_path / "m.csv").read_text()
    assert re.fullmatch(r'path,label,start_seconds,end_seconds,split\n"/.*/elsewhere/v, w.mp4",run,1.5,,\n', text)
    assert (tmp_path / "l.csv").read_text() == "path,label,start_seconds,end_seconds,split,reason\n"
