"""The examination of a small data set with one of each: good, broken, doubled, badly cut."""

import csv
import shutil
from dataclasses import replace

import pytest
from tar_maker import write_tar
from video_maker import make_video

from stvit_video.data.curation.duplicates import DuplicateGroup, Listed
from stvit_video.data.curation.examine import (
    FOLDED,
    NUM_SHOWN,
    Examination,
    describe,
    examine,
    quarantine_entries,
    write_examination,
)
from stvit_video.data.curation.scan import VideoReport
from stvit_video.data.layouts.tar_shards import read_shard_manifest
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord
from stvit_video.data.manifests.quarantine import Quarantined, drop_quarantined


@pytest.fixture
def manifests(tmp_path):
    make_video(tmp_path / "a.mp4", num_frames=35)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "b, copy.mp4")
    make_video(tmp_path / "c.mp4", num_frames=9)
    (tmp_path / "d.mp4").write_bytes(b"")
    records = [
        VideoRecord(tmp_path / "a.mp4", 0, "a.mp4#t=0,1", 0.0, 1.0),
        VideoRecord(tmp_path / "a.mp4", 0, "a.mp4#t=7", 7.0, None),
        VideoRecord(tmp_path / "c.mp4", 1, "c.mp4"),
        VideoRecord(tmp_path / "d.mp4", 1, "d.mp4"),
    ]
    val = [VideoRecord(tmp_path / "b, copy.mp4", 1, "b, copy.mp4")]
    return {"train": Manifest(tuple(records), ("run", "sit")), "val": Manifest(tuple(val), ("run", "sit"))}


def test_a_small_data_set(manifests, tmp_path):
    found = examine(manifests, num_frames=4, frame_stride=3, num_workers=2, show_progress=False)
    write_examination(found, tmp_path / "out")
    assert list(found.reports) == [str(tmp_path / name) for name in ("a.mp4", "c.mp4", "d.mp4", "b, copy.mp4")]
    lines = describe(found)
    assert lines[0] == "4 files are listed (4 train, 1 val): 3 are good, 1 are not"
    assert (
        f"  {tmp_path / 'a.mp4'}: the segment begins at 7.0 s, the video ends at 1.400 s (35 frames, 25 fps)"
        in lines[1]
    )
    assert lines[2].endswith("the file is empty")
    assert lines[3].startswith("3 h264; 0.00 hours, 0.00 GB, short side 70 pixels (median), 10 frames from keyframe")
    assert lines[4:] == [
        "1 files are shorter than one training clip; their last frame is repeated",
        "1 videos are in train and in val, byte by byte",
        "1 of these stand under different labels",
    ]
    kept = drop_quarantined(manifests["train"], tmp_path / "out" / "quarantine.csv")
    assert [record.video_id for record in kept.records] == ["a.mp4#t=0,1", "c.mp4"]
    with (tmp_path / "out" / "duplicates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["part"]) for row in rows] == [("exact", "train"), ("exact", "val")]
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        frames = [row["frames"] for row in csv.DictReader(file)]
    assert frames == ["35", "9", "", "35"]


def test_a_file_with_faults_is_listed_once(tmp_path):
    path = tmp_path / "a.mp4"
    records = tuple(VideoRecord(path, 0, f"a.mp4#t={start}", start, start + 1.0) for start in (0.0, 5.0))
    report = VideoReport(str(path), faults=("it is empty", "and ugly"))
    entries = quarantine_entries([Manifest(records, ("run",))], {str(path): report})
    assert entries == [Quarantined(str(path), "it is empty; and ugly")]


@pytest.mark.parametrize("start", FOLDED)
def test_remarks_with_figures_share_a_line_and_what_is_left_out_is_counted(start):
    remarks = [(f"{start} ({number})", f"remark {number}") for number in range(NUM_SHOWN + 2)]
    reports = {
        str(number): VideoReport(str(number), 9, 30.0, "h264", 9, 0, 0.3, 8, 6, 99, (), both)
        for number, both in enumerate(remarks)
    }
    lines = describe(Examination({"train": len(reports)}, reports, (), (), 0))
    assert f"  {len(reports)} files: {start}" in lines
    assert "  and 3 other remarks, see report.csv" in lines
    assert sum(line.startswith("  1 files: remark ") for line in lines) == NUM_SHOWN - 1


def test_no_faults_and_no_duplicates(tmp_path):
    make_video(tmp_path / "a.mp4")
    manifest = Manifest((VideoRecord(tmp_path / "a.mp4", 0, "a.mp4"),), ("run",))
    found = examine({"train": manifest}, num_frames=2, frame_stride=1, num_workers=1, frames="some")
    assert found.quarantined == ()
    assert describe(found)[-1] == "no duplicates were found"
    assert len(describe(found)) == 3


def test_settings_out_of_range(manifests):
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match="^num_workers=0 must be at least 1, time_limit_seconds=120.0 above 0$"):
        examine(manifests, num_frames=4, frame_stride=3, num_workers=0)


def test_shards_are_examined_member_by_member(tmp_path):
    video = make_video(tmp_path / "a.mp4", num_frames=9).read_bytes()
    clips = {"x_000001_000011.mp4": video, "x_000001_000011.cls": 0, "y.mp4": b"no video", "y.cls": 1}
    write_tar(tmp_path / "train.tar", clips)
    write_tar(tmp_path / "val.tar", {"x_000021_000031.mp4": video, "x_000021_000031.cls": 1})
    train = read_shard_manifest(str(tmp_path / "train.tar"))
    val = read_shard_manifest(str(tmp_path / "val.tar"), classes=train.classes)
    parts = {"train": train, "val": val}
    found = examine(parts, num_frames=4, frame_stride=1, num_workers=1, show_progress=False)
    write_examination(found, tmp_path / "out")
    assert [(group.kind, group.is_leak, group.labels_differ) for group in found.groups] == [
        ("exact", True, True),
        ("source", True, True),
    ]
    assert [entry.path for entry in found.quarantined] == [f"{tmp_path}/train.tar: y.mp4"]
    kept = drop_quarantined(train, tmp_path / "out" / "quarantine.csv")
    assert [record.member for record in kept.records] == ["x_000001_000011.mp4"]


def test_videos_with_several_labels_are_compared_by_all_of_them(manifests):
    several = {
        part: Manifest(
            tuple(replace(record, label=NO_SINGLE_LABEL, labels=labels) for record in manifest.records[:1]),
            ("run", "sit"),
            multi_label=True,
        )
        for (part, manifest), labels in zip(manifests.items(), ((0, 1), (0,)), strict=True)
    }
    settings = {"num_frames": 4, "frame_stride": 3, "num_workers": 2, "show_progress": False}
    assert "1 of these stand under different labels" in describe(examine(several, **settings))
    same = several | {"val": replace(several["val"], records=several["train"].records)}
    assert "stand under different labels" not in "\n".join(describe(examine(same, **settings)))


def test_copies_of_pictures_are_called_pictures():
    both = DuplicateGroup("exact", (Listed("a.png", "train", ""), Listed("b.png", "val", "")))
    reports = {path: VideoReport(path, 1, codec="png", width=8, height=6, size_bytes=99) for path in ("a.png", "b.png")}
    lines = describe(Examination({"train": 1, "val": 1}, reports, (), (both,), 0))
    assert lines[-1] == "1 pictures are in train and in val, byte by byte"
