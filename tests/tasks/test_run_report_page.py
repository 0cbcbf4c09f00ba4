import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from page_checks import page_faults

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.tasks.run_report_page import draw_run_page, middle_frames


def test_a_page_that_fails_is_a_warning(tmp_path, caplog):
    (tmp_path / "result.json").write_text("[")
    assert draw_run_page(tmp_path, written=["result.json"]) == ["result.json"]
    assert "report.html could not be drawn" in caplog.text
    (tmp_path / "result.json").write_text(json.dumps({"result": "top-1 1.000"}))
    assert draw_run_page(tmp_path, written=["result.json"]) == ["result.json", "report.html"]
    assert page_faults((tmp_path / "report.html").read_text()) == []


def test_the_frame_in_the_middle_of_a_video_or_segment(tiny_run):
    manifest = read_csv_manifest(tiny_run.manifest)
    record = manifest.records[0]
    part = replace(record, video_id="part", start_seconds=0.5, end_seconds=1.5)
    gone = replace(record, video_id="gone", path=Path("gone.mp4"))
    read = middle_frames(Manifest((record, part, gone), manifest.classes), time_limit_seconds=60)
    with open_video(tiny_run.videos[0]) as video:
        frames = video.read(range(video.num_frames))
    assert np.array_equal(read(record.video_id), frames[12])  # of 25
    assert np.array_equal(read("part"), frames[10])  # of 5 to 14
    with pytest.raises(DecodeError, match=r"gone\.mp4"):
        read("gone")
