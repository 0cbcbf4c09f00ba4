"""Suspects are read in a process of their own, and give the same frames."""

import pytest
import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading import frame_source
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.suspects_apart import SuspectsApart
from stvit_video.data.manifests.manifest import VideoRecord


def test_only_suspects_are_read_apart(tiny_run, monkeypatch):
    records = [VideoRecord(path=video, label=0, video_id=video.name) for video in tiny_run.videos[:2]]
    opened = []
    real = frame_source.open_video

    def noting(path, **settings):
        opened.append((path.name, settings["backend"], settings["time_limit_seconds"]))
        return real(path, **settings)

    monkeypatch.setattr(frame_source, "open_video", noting)
    source = SuspectsApart(Decoding(time_limit_seconds=7.0))
    before = [source.read(record, lambda times: [3, 1]).frames for record in records]
    source.suspects.add(records[1])
    after = [source.read(record, lambda times: [3, 1]).frames for record in records]
    assert [backend for _, backend, _ in opened] == ["auto", "auto", "auto", "isolated"]
    assert {limit for _, _, limit in opened} == {7.0}
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)


def test_a_suspect_that_is_broken_says_so(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"no video")
    record = VideoRecord(path=tmp_path / "x.mp4", label=0, video_id="x")
    source = SuspectsApart(Decoding())
    source.suspects.add(record)
    with pytest.raises(DecodeError, match="x.mp4"):
        source.read(record, lambda times: [0])
