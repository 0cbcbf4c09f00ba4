import logging
import re

import pytest
from list_maker import touch, write_csv
from real_data import real_file

from stvit_video.data.layouts.kinetics import read_kinetics_manifest
from stvit_video.data.manifests.faults import ManifestError

KINETICS_HEADER = "label,youtube_id,time_start,time_end,split\n"


def test_kinetics_files_are_found_by_either_name_in_either_folder(tmp_path):
    touch(
        tmp_path,
        "-aaa_000012_000022.mp4",
        "b_b.mkv",
        "air drumming/ccc_000003_000013.mp4",
        "air_drumming/ddd.webm",
    )
    path = write_csv(
        tmp_path,
        KINETICS_HEADER
        + "abseiling,-aaa,12,22,val\nabseiling,b_b,1,11,val\n"
        + "air drumming,ccc,3,13,val\nair drumming,ddd,4,14,val\n",
    )
    manifest = read_kinetics_manifest(path, video_dir=tmp_path)
    assert manifest.classes == ("abseiling", "air drumming")
    found = [(record.video_id, record.label, record.start_seconds) for record in manifest.records]
    assert found == [
        ("-aaa_000012_000022.mp4", 0, None),
        ("b_b.mkv", 0, None),
        ("air drumming/ccc_000003_000013.mp4", 1, None),
        ("air_drumming/ddd.webm", 1, None),
    ]
    whole = read_kinetics_manifest(path, video_dir=tmp_path, untrimmed=True).records
    segments = [(record.start_seconds, record.end_seconds) for record in whole]
    assert segments == [(None, None), (1.0, 11.0), (None, None), (4.0, 14.0)]


def test_kinetics_missing_videos_are_an_error_or_dropped_or_kept(tmp_path, caplog):
    touch(tmp_path, "videos/aaa.mp4")
    text = KINETICS_HEADER + "x,aaa,1,11,val\nx,bbb,2,12,val\ny,ccc,3,13,train\n"
    path, videos = write_csv(tmp_path, text), tmp_path / "videos"
    with pytest.raises(ManifestError) as caught:
        read_kinetics_manifest(path, video_dir=videos)
    assert re.search(rf"line 3: .*no video {re.escape(str(videos))}/bbb_000002_000012\.mp4;", str(caught.value))
    assert "2 fault(s)" in str(caught.value)
    with caplog.at_level(logging.WARNING):
        manifest = read_kinetics_manifest(path, video_dir=videos, missing="drop", split="val")
    assert [record.video_id for record in manifest.records] == ["aaa.mp4"]
    assert "1 videos are not in" in caplog.text
    kept = read_kinetics_manifest(path, video_dir=videos, missing="keep")
    assert [record.video_id for record in kept.records] == [
        "aaa.mp4",
        "bbb_000002_000012.mp4",
        "ccc_000003_000013.mp4",
    ]
    with pytest.raises(ManifestError, match=r"no folder .*nowhere; correct the folder of the videos"):
        read_kinetics_manifest(path, video_dir=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="missing='skip' .*error, drop, keep"):
        read_kinetics_manifest(path, video_dir=videos, missing="skip")


@pytest.mark.real_data
def test_the_published_kinetics_list_is_read(tmp_path):
    manifest = read_kinetics_manifest(
        real_file("data", "kinetics_labels", "kinetics-400_val.csv"), video_dir=tmp_path, missing="keep"
    )
    names = real_file("data", "kinetics_labels", "label_map_k400.txt").read_text().split("\n")
    assert set(manifest.classes) == set(filter(None, names))
