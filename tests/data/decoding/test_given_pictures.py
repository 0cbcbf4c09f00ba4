import numpy as np
import pytest
from PIL import Image

from stvit_video.data.decoding.given_pictures import picture_bytes, picture_pixels
from stvit_video.data.decoding.request import DecodeError


def test_a_file_is_its_pixels_and_pixels_are_themselves(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(picture_pixels(tmp_path / "a.png"), pixels)
    assert np.array_equal(picture_pixels(str(tmp_path / "a.png")), pixels)
    assert picture_pixels(pixels) is pixels


@pytest.mark.parametrize("given", [3, None, [1, 2], np.zeros((4, 5)), np.zeros((3, 4, 5), dtype=np.uint8)])
def test_what_is_no_picture_is_refused(given):
    with pytest.raises(ValueError, match=r"a picture is a path or its pixels \(H, W, 3\) uint8, RGB, got "):
        picture_pixels(given)


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(DecodeError, match="can't read the picture .*gone.png': No such file"):
        picture_bytes(tmp_path / "gone.png")
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DecodeError):
        picture_pixels(tmp_path / "a.png")
