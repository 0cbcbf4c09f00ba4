"""The scan against what is known of odd files, and with a decoder that dies or never ends."""

import csv
import re
from dataclasses import replace

import av
import pytest
from process_work import fake_inspect
from real_data import real_file
from shape_maker import changing_size, with_pixel_aspect
from tar_maker import write_tar
from video_cases import both
from video_maker import make_video

from stvit_video.data.curation.hashing import content_hash
from stvit_video.data.curation.scan import (
    REPORT_HEADER,
    VideoReport,
    inspect_video,
    largest_gop,
    scan_videos,
    write_report,
)
from stvit_video.data.layouts.tar_shards import read_shard_manifest


def test_files_that_kill_or_hang_the_decoder_are_reported(tmp_path):
    names = ["good.mp4", "kill.mp4", "hang.mp4", "better.mp4"]
    (tmp_path / "kill.mp4").write_bytes(b"12345")
    paths = [str(tmp_path / name) for name in names]
    reports = scan_videos(paths, num_workers=2, time_limit_seconds=0.7, inspect=fake_inspect, show_progress=False)
    assert [report.path for report in reports] == paths
    assert [report.num_frames for report in reports] == [8, None, None, 10]
    assert reports[1].faults == ("reading it failed: its process died (signal SIGSEGV)",)
    assert reports[1].size_bytes == 5
    assert reports[2].faults == (
        "reading it failed: its process was ended after the time limit of 0.7 s"
        "; raise time_limit_seconds if the file is merely long",
    )
    assert reports[2].size_bytes is None


def test_odd_files_are_reported_as_they_are(get_case):
    cases = [get_case(name) for name in ("plain.mp4", "rotated_90.mov", "h265.mp4", "vp8.webm", "-one_pixel.mp4")]
    reports = scan_videos([str(case.path) for case in cases], num_workers=2, show_progress=False)
    for case, report in zip(cases, reports, strict=True):
        assert (report.num_frames, report.codec) == (case.num_frames, case.codec)
        assert (report.width, report.height) == case.shown_size
        assert report.size_bytes == case.path.stat().st_size
        assert report.digest == content_hash(case.path)
        assert len(report.frame_hashes) == 5
        assert report.faults == ()
    assert [report.rotation_degrees for report in reports] == [0, 90, 0, 0, 0]
    assert reports[0].duration_seconds == pytest.approx({35: 1.4, 280: 10.0}[cases[0].num_frames])
    assert reports[1].remarks == ("decord is not safe on it: it is stored rotated or mirrored",)
    assert reports[4].frame_hashes == (None,) * 5


@pytest.mark.parametrize("frames", ["all", "some"])
def test_gop_and_hashes_of_a_made_file(tmp_path, frames):
    path = make_video(tmp_path / "v.mp4", num_frames=35)  # a keyframe every 10 frames
    report = inspect_video(str(path), frames=frames)
    assert (report.gop_frames, report.num_frames, report.fps) == (10, 35, 25)
    assert report.frame_hashes == inspect_video(str(path)).frame_hashes
    assert report.remarks == ()


@pytest.mark.parametrize(
    ("case", "fault"),
    [*both("empty.webm", "the file is empty"), *both("corrupted.mp4", "is lost")],
    indirect=["case"],
)
def test_bad_files_have_their_reason(case, fault):
    report = inspect_video(str(case.path))
    assert len(report.faults) == 1
    assert fault in report.faults[0]
    assert report.size_bytes == case.path.stat().st_size


def test_a_file_that_is_gone_has_its_reason(tmp_path):
    report = inspect_video(str(tmp_path / "gone.mp4"))
    assert len(report.faults) == 1
    assert "the file does not exist" in report.faults[0]
    assert report.size_bytes is None


def test_a_packet_broken_in_the_middle_is_found(tmp_path):
    path = make_video(tmp_path / "v.mp4", options={"g": "7", "bf": "0", "preset": "ultrafast"})
    with av.open(str(path)) as container:
        positions = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[positions[13] : positions[13] + 4] = b"\x80\x00\x00\x00"  # the length of what follows
    path.write_bytes(data)
    (fault,) = inspect_video(str(path)).faults
    assert "frame 13 of 35 is lost" in fault


def test_largest_gop_by_hand():
    assert largest_gop((0, 3, 10), 12) == 7
    assert largest_gop((0, 3, 10), 30) == 20
    assert largest_gop((0,), 1) == 1


def test_report_table(tmp_path):
    reports = [
        VideoReport("a, b.mp4", 7, 29.97003, "h264", 5, 90, 0.2335, 30, 20, 999, (), ("r1", "r2")),
        VideoReport("c.mp4", size_bytes=0, faults=("it is empty",)),
    ]
    write_report(tmp_path / "report.csv", reports)
    with (tmp_path / "report.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == REPORT_HEADER
    assert rows[0] == ["a, b.mp4", "7", "29.97", "h264", "5", "90", "0.234", "30", "20", "999", "", "r1; r2"]
    assert rows[1] == ["c.mp4", *[""] * 8, "0", "it is empty", ""]


def test_unknown_depth_is_refused():
    # the whole sentence, once for its family
    with pytest.raises(ValueError, match="^frames='few' is unknown; use one of all, some$"):
        scan_videos(["a.mp4"], num_workers=1, frames="few")


def test_videos_in_a_shard_are_reported_as_the_files_are(tmp_path):
    make_video(tmp_path / "a.mp4", num_frames=7)
    members = {"x.mp4": (tmp_path / "a.mp4").read_bytes(), "x.cls": 0, "y.mp4": b"no video", "y.cls": 0}
    write_tar(tmp_path / "0.tar", members)
    records = read_shard_manifest(str(tmp_path / "0.tar")).records
    good, bad = scan_videos(records, num_workers=1, show_progress=False)
    assert good == replace(inspect_video(str(tmp_path / "a.mp4")), path=f"{tmp_path}/0.tar: x.mp4")
    assert (bad.path, bad.size_bytes) == (f"{tmp_path}/0.tar: y.mp4", 8)
    assert re.search(rf"{re.escape(str(tmp_path))}/0\.tar: y\.mp4' .*'pyav': it is not a video\b", bad.faults[0])


@pytest.mark.parametrize("frames", ["all", "some"])
def test_a_picture_size_that_changes_is_told(tmp_path, frames):
    (remark,) = [words for words in report_of(changing_size(tmp_path / "v.webm"), frames) if "size changes" in words]
    assert "98x70 to 50x34" in remark


def test_pixels_that_are_not_square_are_told_with_a_remedy(tmp_path):
    path = with_pixel_aspect(tmp_path / "v.mp4", aspect=(16, 11), size=(72, 58))
    (remark,) = [words for words in report_of(path, "some") if "not square" in words]
    assert re.search(r"scale=iw\*sar:ih,setsar=1 .*16:11.*72x58.*105x58", remark)
    assert not any("square" in words for words in report_of(make_video(tmp_path / "plain.mp4", num_frames=3), "some"))


@pytest.mark.real_data
def test_the_real_files_of_odd_shape():
    changing, wide = (
        report_of(real_file("data", "field_cases", name), "all") for name in ("res_change.webm", "sar.mp4")
    )
    assert any("320x180 to 160x90" in words for words in changing)
    assert any("64:45" in words and "1024x576" in words for words in wide)


def report_of(path, frames):
    return inspect_video(str(path), frames=frames).remarks
