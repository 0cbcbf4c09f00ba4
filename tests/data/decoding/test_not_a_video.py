"""Files that are no videos under a video's name: what each is called, and that the name comes through."""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import zipfile

import pytest
from PIL import Image
from real_data import real_file
from video_maker import make_video

from stvit_video.data.curation.scan import inspect_video
from stvit_video.data.decoding.not_a_video import START_BYTES, not_a_video
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import VideoRecord

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not\n Found</title></head><body>gone</body></html>"
STORE = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>x</Message></Error>'


def zipped():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("clip.mp4", b"film")
    return target.getvalue()


def tarred():
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("clip.mp4"), io.BytesIO(b""))
    return target.getvalue()


def picture(format_name):
    target = io.BytesIO()
    Image.new("RGB", (7, 5), (9, 99, 200)).save(target, format_name)
    return target.getvalue()


# content -> what the error must say
KINDS = {
    POINTER: "Git LFS pointer.*git lfs pull",
    POINTER.replace(b"\n", b"\r\n"): "git lfs pull",
    b"\xef\xbb\xbf" + POINTER: "git lfs pull",
    PAGE: "web page.*'404 Not Found'",
    b"\xef\xbb\xbf \n\n<HTML lang=de><body>": "web page",
    b"<!-- saved -->\n<html><title>Virus scan</title>" * 99: "web page.*'Virus scan'",
    "<!doctype html><p>hi".encode("utf-16"): "web page",
    b'<?xml version="1.0"?><!DOCTYPE html><html xmlns="x"><title>Sign in</title>': "web page.*'Sign in'",
    b'{"error": "access denied"}': "JSON.*'access denied'",
    b' [{"error": {"code": 403, "message": "quota exceeded"}}]': "JSON.*'quota exceeded'",
    STORE: "XML.*'AccessDenied'",
    b"<Error><Code>NoSuchKey</Code></Error>": "XML.*'NoSuchKey'",
    b"Not found": r"text \(9 bytes\).*'Not found'",
    "Zugriff verweigert: bitte öffnen".encode(): "text.*'Zugriff verweigert: bitte öffnen'",
    zipped(): r"\.zip archive.*unpack",
    tarred(): r"\.tar archive.*unpack",
    gzip.compress(POINTER): r"\.gz\b.*unpack",
    bz2.compress(POINTER): r"\.bz2\b.*unpack",
    lzma.compress(POINTER): r"\.xz\b.*unpack",
    b"%PDF-1.4\n%\xe2\xe3": "PDF",
    b"\x93NUMPY\1\0v\0": "NumPy",
    b"\0" * 9999: "all 0.*never finished",
    b"\0\0\0\x20ftypisom" + b"\0" * 999: "moov.*cut off",
}


@pytest.mark.parametrize("content", KINDS, ids=list(KINDS.values()))
def test_each_kind_is_named_in_one_sentence_with_what_to_do(tmp_path, content):
    words = KINDS[content]
    said = not_a_video(content[:START_BYTES], num_bytes=len(content))
    assert re.search(words, said)
    assert "\n" not in said
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(DecodeError) as caught:
        open_video(path)
    assert str(caught.value) == f"can't decode {str(path)!r} with backend 'pyav': {said}"


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_picture_under_the_name_of_a_video_is_called_a_picture(tmp_path, format_name):
    (tmp_path / "clip.mp4").write_bytes(picture(format_name))
    with pytest.raises(DecodeError, match="picture, not a video"):
        open_video(tmp_path / "clip.mp4")


def test_a_recording_that_broke_off_before_its_index(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=9)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DecodeError, match="moov.*cut off"):
        open_video(path)


def test_bytes_that_tell_nothing_are_left_to_ffmpeg(tmp_path):
    noise = bytes([7, 200, 3, 251]) + os.urandom(2000)
    assert not_a_video(noise, num_bytes=2004) == ""
    (tmp_path / "clip.mp4").write_bytes(noise)
    with pytest.raises(DecodeError, match=r"not a video that ffmpeg can open .*Invalid data"):
        open_video(tmp_path / "clip.mp4")


def named_everywhere(path, caplog):
    """By every backend, by the doctor, and in the warning of a training."""
    for backend in ("auto", "isolated", "decord", "torchcodec"):
        with pytest.raises(DecodeError, match="git lfs pull"):
            open_video(path, backend=backend)
    (fault,) = inspect_video(str(path)).faults
    assert "git lfs pull" in fault
    with pytest.raises(DecodeError, match="git lfs pull"):
        FrameSource().read(VideoRecord(path=path, label=0, video_id="a"), lambda *given: [0])
    assert "git lfs pull" in caplog.text


def test_the_name_comes_through_to_every_command(tmp_path, caplog):
    (tmp_path / "clip.mp4").write_bytes(POINTER)
    named_everywhere(tmp_path / "clip.mp4", caplog)


@pytest.mark.real_data
def test_the_real_pointer(caplog):
    named_everywhere(real_file("data", "field_cases", "lfs.mp4"), caplog)


def test_texts_that_ffmpeg_takes_for_subtitles_are_named(tmp_path):
    for text, words in (
        ('[{"status":"gone"}]', "it is a JSON text"),
        ("1\n00:00:01,000 --> 00:00:02,000\nHi\n", "text"),
    ):
        path = tmp_path / "v.mp4"
        path.write_text(text)
        with pytest.raises(DecodeError, match=words):
            open_video(path)


def test_a_header_that_breaks_off_is_told_as_that(tmp_path):
    whole = make_video(tmp_path / "v.mkv", num_frames=3)
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[:200])
    with pytest.raises(DecodeError, match="breaks off in its header; fetch it again"):
        open_video(tmp_path / "cut.mkv")
