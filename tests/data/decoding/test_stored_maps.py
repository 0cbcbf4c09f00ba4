import io

import numpy as np
import pytest
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.stored_maps import decode_map

VALUES = np.random.default_rng(3).integers(0, 6, (5, 7)).astype(np.uint8)


def content(image, kind="PNG", **settings):
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def palette_picture():
    image = Image.fromarray(VALUES, "P")
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9, 250, 240, 230])
    return image


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(VALUES), VALUES),
        (palette_picture(), VALUES),
        (Image.fromarray(VALUES > 2), VALUES > 2),
        (Image.fromarray(VALUES.astype(np.uint16) * 9000), VALUES.astype(int) * 9000),
        (Image.merge("LA", [Image.fromarray(VALUES), Image.fromarray(VALUES * 9)]), VALUES),
        (Image.merge("RGB", [Image.fromarray(VALUES)] * 3), VALUES),
    ],
    ids=["grey", "palette", "one bit", "16 bits", "alpha", "grey in colours"],
)
def test_values_are_those_that_are_stored(image, expected):
    stored = decode_map(content(image), name="a.png")
    np.testing.assert_array_equal(stored, expected)
    assert stored.dtype in (np.uint8, np.uint16)


def test_colours_are_given_where_they_are_wanted_or_there_is_nothing_else():
    colours = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    for wanted in (False, True):
        np.testing.assert_array_equal(decode_map(content(Image.fromarray(colours)), name="a", colours=wanted), colours)
    table = np.array(palette_picture().getpalette(), dtype=np.uint8).reshape(-1, 3)
    np.testing.assert_array_equal(decode_map(content(palette_picture()), name="a", colours=True), table[VALUES])
    grey = decode_map(content(Image.fromarray(VALUES)), name="a", colours=True)
    np.testing.assert_array_equal(grey, np.stack([VALUES] * 3, axis=-1))


def test_a_map_is_turned_as_its_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    stored = decode_map(content(Image.fromarray(VALUES), exif=exif), name="a.png")
    np.testing.assert_array_equal(stored, np.rot90(VALUES, -1))


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (b"text", "no picture of a known format"),
        (content(Image.fromarray(VALUES))[:50], "a.png"),
        (content(Image.fromarray(VALUES), "JPEG"), "can't be a JPEG"),
        (content(Image.fromarray(VALUES.astype(np.float32)), "TIFF"), "fractions"),
        (content(Image.fromarray(VALUES.astype(np.int32) * 20000), "TIFF"), "values from 0 to 100000; 0 to 65535"),
    ],
)
def test_what_is_no_label_map_is_told(bad, cause):
    with pytest.raises(DecodeError, match=rf"'a.png'.*{cause}|{cause}.*'a.png'" if cause != "a.png" else "a.png"):
        decode_map(bad, name="a.png")


def test_colours_of_a_map_with_16_bits_are_refused():
    deep = content(Image.fromarray(VALUES.astype(np.uint16)))
    with pytest.raises(DecodeError, match="more than 8 bits"):
        decode_map(deep, name="a.png", colours=True)
