import os
import re
import zipfile

import numpy as np
import pytest
import torch
from picture_maker import as_pillow_has_it, pack, pixels, record_of, write_picture
from PIL import Image

from stvit_video.data.decoding import pictures
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards import picture_files
from stvit_video.data.shards.zip_members import list_members


def test_a_picture_answers_like_a_video_of_one_frame(tmp_path):
    path = write_picture(tmp_path / "x.png", seed=1, size=(5, 7))
    with open_image(record_of(path)) as picture:
        assert [picture.num_frames, picture.height, picture.width, picture.pts_seconds(0)] == [1, 5, 7, 0.0]
        assert picture.fps > 0
        frames = picture.read([0, 0, 0])
        assert frames.shape == (3, 5, 7, 3)
        assert frames.dtype == np.uint8
        assert all(np.array_equal(frame, as_pillow_has_it(path)) for frame in frames)
        assert picture.read([]).shape == (0, 5, 7, 3)
        assert torch.as_tensor(picture.read([0])).is_contiguous()
        with pytest.raises(ValueError, match=r"frame 0 alone, \[0, 1\]"):
            picture.read([0, 1])
        with pytest.raises(ValueError, match=r"frame 0 alone, \[-1\]"):
            picture.pts_seconds(-1)


def damaged(tmp_path):
    good = write_picture(tmp_path / "good.jpg", seed=3, size=(60, 80)).read_bytes()
    png = write_picture(tmp_path / "good.png", seed=3, size=(60, 80)).read_bytes()
    empty_png = png[:16] + bytes(8) + png[24:]
    cases = {"cut": good[: len(good) // 2], "cut_png": png[: len(png) // 2], "none": b"", "text": b"no picture" * 9}
    cases |= {
        "no_pixels": empty_png,
        "svg": b"<svg xmlns='http://w3.org/2000/svg'/>",
        "eps": b"%!PS-Adobe-3.0 EPSF",
    }
    for name, content in cases.items():
        (tmp_path / f"{name}.jpg").write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("cut", "[Tt]runcated"),
        ("cut_png", "[Tt]runcated"),
        ("none", r"no picture .*\(BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP\)"),
        ("text", "no picture of a known format"),
        ("svg", "no picture of a known format"),
        ("eps", "no picture of a known format"),  # Pillow would start Ghostscript
        ("no_pixels", "."),
        ("gone", "not exist"),
    ],
)
def test_broken_pictures_are_named_with_the_cause(tmp_path, name, cause):
    path = damaged(tmp_path) / f"{name}.jpg"
    with pytest.raises(DecodeError, match=f"^can't decode .*{re.escape(repr(str(path)))}: .*{cause}"):
        open_image(record_of(path))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_every_cut_and_many_flipped_bits_are_pictures_or_errors(tmp_path):
    rng = np.random.default_rng(7)
    for extension in ("jpg", "png", "webp", "bmp", "gif", "tif", "ppm"):
        content = write_picture(tmp_path / f"x.{extension}", seed=2, size=(11, 13)).read_bytes()
        path = tmp_path / "mutated.jpg"
        outcomes = set()
        for number in range(40):
            mutated = bytearray(content[: int(rng.integers(len(content)))] if number % 2 else content)
            for place in rng.integers(0, max(len(mutated), 1), 5 * bool(mutated)):
                mutated[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(mutated)
            try:
                outcomes.add(open_image(record_of(path)).read([0]).dtype)
            except DecodeError as error:
                outcomes.add(type(error))
        assert outcomes <= {np.dtype(np.uint8), DecodeError}
        assert DecodeError in outcomes


def test_pictures_of_too_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_FRAME_PIXELS", 34)
    # the whole sentence, once for its family
    with pytest.raises(
        DecodeError, match=r"^can't decode the picture '.*x\.png': its 7x5 pixels are more than the 34 allowed$"
    ):
        pixels(write_picture(tmp_path / "x.png", seed=1, size=(5, 7)))
    monkeypatch.undo()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)  # Pillow's own guard
    with pytest.raises(DecodeError, match=r"x\.png': .*exceeds limit of 4 pixels"):
        pixels(tmp_path / "x.png")


def test_members_of_an_archive_are_named_in_errors(tmp_path):
    for name in ("a", "b"):
        write_picture(tmp_path / "tree" / f"{name}.png", seed=3, size=(30, 40))
    (tmp_path / "tree" / "c.png").write_bytes((tmp_path / "tree" / "a.png").read_bytes()[:300])
    archive = pack(tmp_path / "tree", tmp_path / "x.zip", method=zipfile.ZIP_STORED)
    records = {
        member.name: VideoRecord(
            archive, 0, member.name, member=member.name, byte_range=member.byte_range, is_picture=True
        )
        for member in list_members(archive)
    }
    assert np.array_equal(open_image(records["a.png"]).read([0])[0], as_pillow_has_it(tmp_path / "tree" / "a.png"))
    with pytest.raises(DecodeError, match=r"x\.zip: c\.png': .*[Tt]runcated"):
        open_image(records["c.png"])
    content = bytearray(archive.read_bytes())
    content[records["b.png"].byte_range[0] + 200] ^= 4
    archive.write_bytes(content)
    with pytest.raises(DecodeError, match=r"x\.zip: b\.png': .*checksum is wrong\b"):
        open_image(records["b.png"])


def test_frame_source_opens_pictures_and_remembers_broken_ones(tmp_path, caplog):
    good, bad = record_of(write_picture(tmp_path / "x.png", seed=1)), record_of(damaged(tmp_path) / "cut.jpg")
    source = FrameSource()
    reading = source.read(good, lambda times: [0] * times.num_frames)
    assert np.array_equal(reading.frames[0].numpy(), as_pillow_has_it(good.path))
    assert reading.seconds == [0.0]
    for _ in range(2):
        with pytest.raises(DecodeError, match="cut.jpg"):
            source.read(bad, lambda times: [0])
    assert len(caplog.records) == 1
    source.preload([good], short_side=10)
    assert source.read(good, lambda times: [0]).frames.shape[1] == 10


def test_pipes_and_huge_files_are_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(DecodeError, match="pipe.jpg': .*no regular file"):
        open_image(record_of(tmp_path / "pipe.jpg"))
    path = write_picture(tmp_path / "x.png", seed=1)
    monkeypatch.setattr(picture_files, "MAX_MEMBER_BYTES", 10)
    with pytest.raises(DecodeError, match=rf"x\.png': .*\b{path.stat().st_size} bytes, .*\b10 bytes allowed\b"):
        open_image(record_of(path))
    with pytest.raises(DecodeError, match=r"x.png/y.png': Not a directory$"):
        open_image(record_of(path / "y.png"))
