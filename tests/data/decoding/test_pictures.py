import warnings

import numpy as np
import pytest
from picture_maker import as_pillow_has_it, pixels, record_of, write_picture
from PIL import Image

from stvit_video.data.decoding.pictures import decode_picture, read_header
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.shards.picture_files import read_picture

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)  # (H, W, RGBA)


RED, GREEN, BLUE = (200, 30, 10), (20, 180, 40), (15, 25, 190)


def saved(path, image, **options):
    image.save(path, **options)
    return path


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


def test_the_format_is_that_of_the_bytes(tmp_path):
    record = record_of(write_picture(tmp_path / "x.bmp", seed=1).rename(tmp_path / "x.jpg"))
    assert decode_picture(read_picture(record), name=record.place).format_name == "bmp"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_header_tells_the_size_that_decoding_gives(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "x.jpg", Image.fromarray(COLOURS).convert("RGB"), exif=exif)
    header = read_header(path.read_bytes(), name="x.jpg")
    assert (header.height, header.width) == pixels(path).shape[:2] == ((5, 7) if orientation < 5 else (7, 5))


@pytest.mark.parametrize(("mode", "has_8_bits"), [("L", True), ("RGB", True), ("RGBA", True), ("I;16", False)])
def test_a_header_tells_deep_pictures(tmp_path, mode, has_8_bits):
    image = Image.fromarray(COLOURS).convert("L" if mode == "I;16" else mode).convert(mode)
    path = saved(tmp_path / "x.png", image)
    assert read_header(path.read_bytes(), name="x.png").has_8_bits == has_8_bits


def test_what_has_no_header_is_named():
    with pytest.raises(DecodeError, match="'x.png': it is no picture of a known format"):
        read_header(b"text", name="x.png")
