import os
import re
import warnings
import zipfile

import numpy as np
import pytest
import torch
from picture_maker import pack, write_picture
from PIL import Image

from stvit_video.data import images
from stvit_video.data.decode import DecodeError
from stvit_video.data.frames import FrameSource
from stvit_video.data.images import decode_picture, is_picture_file, open_image, read_picture, require_one_frame
from stvit_video.data.listing import Manifest, VideoRecord
from stvit_video.data.zip_members import list_members

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)  # (H, W, RGBA)
RED, GREEN, BLUE = (200, 30, 10), (20, 180, 40), (15, 25, 190)


def record_of(path):
    return VideoRecord(path, 0, path.name, is_picture=True)


def pixels(path):
    with open_image(record_of(path)) as picture:
        return picture.read([0])[0]


def as_pillow_has_it(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def saved(path, image, **options):
    image.save(path, **options)
    return path


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
        with pytest.raises(ValueError, match=r"^a picture has frame 0 alone, \[0, 1\] are asked for$"):
            picture.read([0, 1])
        with pytest.raises(ValueError, match="frame 0 alone"):
            picture.pts_seconds(-1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P"])
@pytest.mark.parametrize("extension", ["png", "webp", "bmp", "tif"])
def test_modes_become_rgb_as_pillow_converts_them(tmp_path, extension, mode):
    if extension in ("webp", "bmp") and mode in ("LA", "P", "1"):
        mode = "L" if extension == "bmp" else "RGBA"  # what the format has
    image = Image.fromarray(COLOURS).convert("RGB" if mode == "P" else "RGBA").convert(mode)
    path = saved(tmp_path / f"x.{extension}", image, **({"lossless": True} if extension == "webp" else {}))
    assert np.array_equal(pixels(path), as_pillow_has_it(path))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg(tmp_path, mode):
    path = saved(tmp_path / "x.JPEG", Image.fromarray(COLOURS).convert("RGB").convert(mode), quality=90)
    assert np.array_equal(pixels(path), as_pillow_has_it(path))
    assert np.array_equal(pixels(path.rename(tmp_path / "x.png")), as_pillow_has_it(tmp_path / "x.png"))


def test_sixteen_bits(tmp_path):
    path = saved(tmp_path / "x.png", Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257))
    assert np.array_equal(pixels(path), as_pillow_has_it(path))


def test_transparent_palette_without_a_warning(tmp_path):
    image = Image.fromarray(COLOURS[..., :3]).quantize(4)
    path = saved(tmp_path / "x.png", image, transparency=bytes([0, 100, 255, 30]))
    expected = np.asarray(Image.open(path).convert("RGBA"))[..., :3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(pixels(path), expected)


@pytest.mark.parametrize("name", ["x.gif", "x.webp", "x.png", "x.tif"])
def test_of_an_animation_the_first_frame_counts(tmp_path, name):
    frames = [Image.new("RGB", (7, 5), colour) for colour in (RED, GREEN, BLUE)]
    exact = {"lossless": True} if name == "x.webp" else {}
    path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], **exact)
    assert np.array_equal(pixels(path), np.broadcast_to(np.uint8(RED), (5, 7, 3)))


UPRIGHT = [[RED, GREEN, BLUE], [BLUE, RED, RED]]  # 2 x 3 pixels
STORED = {  # EXIF's number -> how the upright picture is stored
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("extension", ["png", "tif"])
@pytest.mark.parametrize("number", STORED)
def test_exif_turns_the_picture_upright(tmp_path, number, extension):
    upright = np.uint8(UPRIGHT)
    exif = Image.Exif()
    exif[0x0112] = number
    stored = Image.fromarray(np.ascontiguousarray(STORED[number](upright)))
    path = saved(tmp_path / f"x.{extension}", stored, exif=exif)
    assert np.array_equal(pixels(path), upright)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning:PIL")
def test_damaged_exif_leaves_the_picture_as_it_is_stored(tmp_path):
    path = saved(tmp_path / "x.jpg", Image.new("RGB", (7, 5), RED), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09nonsense")
    assert np.array_equal(pixels(path), as_pillow_has_it(path))


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
        ("none", r"it is no picture of a known format \(BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP\)"),
        ("text", "it is no picture of a known format"),
        ("svg", "it is no picture of a known format"),
        ("eps", "it is no picture of a known format"),  # Pillow would start Ghostscript
        ("no_pixels", "."),
        ("gone", "the file does not exist"),
    ],
)
def test_broken_pictures_are_named_with_the_cause(tmp_path, name, cause):
    path = damaged(tmp_path) / f"{name}.jpg"
    with pytest.raises(DecodeError, match=f"^can't decode the picture {re.escape(repr(str(path)))}: .*{cause}"):
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
    monkeypatch.setattr(images, "MAX_FRAME_PIXELS", 34)
    with pytest.raises(DecodeError, match=r"x.png': its 7x5 pixels are more than the 34 allowed$"):
        pixels(write_picture(tmp_path / "x.png", seed=1, size=(5, 7)))
    monkeypatch.undo()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)  # Pillow's own guard
    with pytest.raises(DecodeError, match="exceeds limit of 4 pixels"):
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
    with pytest.raises(DecodeError, match=r"^can't decode the picture '.*x.zip: c.png': .*[Tt]runcated"):
        open_image(records["c.png"])
    content = bytearray(archive.read_bytes())
    content[records["b.png"].byte_range[0] + 200] ^= 4
    archive.write_bytes(content)
    with pytest.raises(DecodeError, match=r"^can't read '.*x.zip: b.png': its checksum is wrong, so it is damaged$"):
        open_image(records["b.png"])


def test_frame_source_opens_pictures_and_remembers_broken_ones(tmp_path, caplog):
    good, bad = record_of(write_picture(tmp_path / "x.png", seed=1)), record_of(damaged(tmp_path) / "cut.jpg")
    source = FrameSource()
    reading = source.read(good, lambda num_frames, fps: [0] * num_frames)
    assert np.array_equal(reading.frames[0].numpy(), as_pillow_has_it(good.path))
    assert reading.pts_seconds == [0.0]
    for _ in range(2):
        with pytest.raises(DecodeError, match="cut.jpg"):
            source.read(bad, lambda num_frames, fps: [0])
    assert len(caplog.records) == 1
    source.preload([good], short_side=10)
    assert source.read(good, lambda num_frames, fps: [0]).frames.shape[1] == 10


def test_pictures_are_not_shown_as_clips(tmp_path):
    picture, video = record_of(tmp_path / "x.png"), VideoRecord(tmp_path / "x.mp4", 0, "x.mp4")
    both = Manifest((video, picture), ("a", "b"))
    with pytest.raises(ValueError, match=r"x.png is a picture, and the model takes clips of 3 frames; give videos, or"):
        require_one_frame(both, num_frames=3)
    assert require_one_frame(both, num_frames=1) is None
    assert require_one_frame(Manifest((video,), ("a", "b")), num_frames=3) is None


@pytest.mark.parametrize(("name", "expected"), [("a.JPEG", True), ("b.webp", True), ("c.gif", False), ("jpg", False)])
def test_extensions(name, expected):
    assert is_picture_file(name) is expected


def test_pipes_and_huge_files_are_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(DecodeError, match="pipe.jpg': this is no regular file$"):
        open_image(record_of(tmp_path / "pipe.jpg"))
    path = write_picture(tmp_path / "x.png", seed=1)
    monkeypatch.setattr(images, "MAX_MEMBER_BYTES", 10)
    with pytest.raises(DecodeError, match=rf"it has {path.stat().st_size} bytes, more than the 10 bytes allowed$"):
        open_image(record_of(path))
    with pytest.raises(DecodeError, match=r"x.png/y.png': Not a directory$"):
        open_image(record_of(path / "y.png"))


def test_the_format_is_that_of_the_bytes(tmp_path):
    record = record_of(write_picture(tmp_path / "x.bmp", seed=1).rename(tmp_path / "x.jpg"))
    assert decode_picture(read_picture(record), record).format_name == "bmp"
