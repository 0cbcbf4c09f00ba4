"""What counts as a source, and what is refused in words before anything is opened."""

import sys
from pathlib import Path

import numpy as np
import pytest

from stvit_video.data.decoding.request import DecodeError
from stvit_video.streaming.source_frames import SourceError
from stvit_video.streaming.sources import camera, find_source


def test_a_file(tmp_path):
    file = tmp_path / "a b.mp4"
    file.write_bytes(b"x")
    for given in (file, str(file)):
        source = find_source(given)
        assert (source.kind, source.shown, source.place) == ("file", str(file), str(file))


def test_files_that_are_none(tmp_path):
    (tmp_path / "empty.mp4").touch()
    for path, told in {
        tmp_path / "absent.mp4": "does not exist",
        tmp_path / "empty.mp4": "is empty",
        tmp_path: "directory",
        Path("concat:a.mp4|b.mp4"): "'concat'",
    }.items():
        with pytest.raises(DecodeError, match=told):
            find_source(path, allow_addresses=True)


def test_an_address_shows_no_secrets():
    place = "rtsp://bob:hunter2@host:554/live?token=hunter2"
    source = find_source(place, allow_addresses=True)
    assert (source.kind, source.shown, source.place) == ("address", "rtsp://host:554/live?...", place)
    assert "hunter2" not in repr(source)
    assert "bob" not in repr(source)
    assert "file" not in source.options["protocol_whitelist"].split(",")  # no playlist leads into this machine


def test_addresses_must_be_allowed_and_of_a_protocol_for_streams():
    for address, allowed, told in (
        ("rtsp://bob:hunter2@host/live?hunter2", False, "allow_addresses"),
        ("s3://bob:hunter2@bucket/hunter2?hunter2", True, "'s3'"),
        ("file:///etc/hunter2", True, "'file'"),
    ):
        with pytest.raises(ValueError, match=told) as caught:
            find_source(address, allow_addresses=allowed)
        assert "bob" not in str(caught.value)
        assert allowed or "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "given", [None, 1.5, True, b"a.mp4", np.zeros((2, 5, 7, 3), np.uint8)], ids=lambda given: type(given).__name__
)
def test_what_is_no_source(given):
    with pytest.raises(ValueError, match=type(given).__name__):
        find_source(given)


def test_an_iterator():
    frames = iter([(0.0, np.zeros((5, 7, 3), np.uint8))])
    source = find_source(frames)
    assert (source.kind, source.frames) == ("iterator", frames)


@pytest.mark.skipif(sys.platform != "linux", reason="cameras of Linux are files")
@pytest.mark.parametrize("given", [4711, "4711"])
def test_a_camera_that_is_missing(given):
    with pytest.raises(SourceError, match=r"no camera 4711 \(/dev/video4711 does not exist\)"):
        find_source(given)


def test_cameras_of_other_systems():
    mac = camera(1, platform="darwin")
    assert (mac.kind, mac.place, mac.demuxer) == ("camera", "1", "avfoundation")
    with pytest.raises(SourceError, match="no camera 3"):
        camera(3, platform="win32")
    with pytest.raises(SourceError, match="no camera -1"):
        camera(-1)


@pytest.mark.parametrize(
    "place", ["rtsp:/bob:hunter2@host/live", "bob:hunter2@host", "rtsp//bob:hunter2@host/live?hunter2"]
)
def test_a_mistyped_address_shows_no_secrets(place):
    with pytest.raises(SourceError, match="an address is written rtsp://host/path") as caught:
        find_source(place)
    assert "bob" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "host" in str(caught.value)


def test_a_file_with_a_name_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "12:30@noon.mp4").write_bytes(b"x")
    assert find_source("12:30@noon.mp4").kind == "file"


def test_cameras_by_other_names():
    with pytest.raises(SourceError, match="counted from 0"):
        find_source("-1")
    with pytest.raises(SourceError, match="use source=3"):
        find_source("/dev/video3")


@pytest.mark.parametrize("place", ["rtsp://host:99999/live", "http://[::1]:0", "rtsp://bob:hunter2@host:70000"])
def test_ports_out_of_range(place):
    with pytest.raises(ValueError, match="ports are 1 to 65535") as caught:
        find_source(place, allow_addresses=True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("place", ["rtsp://host:554/live", "rtsp://bob:99999@host/live", "http://[::1]:80/a"])
def test_ports_in_range(place):
    assert find_source(place, allow_addresses=True).kind == "address"
