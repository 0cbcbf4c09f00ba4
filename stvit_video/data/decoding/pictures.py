"""Pictures that answer like open videos of one frame.

Pillow decodes: it is what the published image models were trained with, it reads every format that people keep
pictures in, and its `convert("RGB")` is the rule that others are compared with.
"""

import io
import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple

import numpy as np
from PIL import Image

from stvit_video.data.decoding.container import MAX_FRAME_PIXELS
from stvit_video.data.decoding.pixel_shape import SQUARE
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.sampling.frame_times import FrameTimes

FPS = 1.0  # a rate must be above 0; with one frame it decides nothing
# What the bytes may be, whatever the extension says. Not all that Pillow knows: some of its readers start programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ORIENTATION = 0x0112  # tag of EXIF
TURNS = {  # EXIF's number -> what makes the stored picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
DEEP_MODES = ("I", "F")  # of Pillow: values of 16 or 32 bits
LYING = (5, 6, 7, 8)  # of these, those that exchange height and width


class Picture:
    """A decoded picture that answers like an open video of one frame; made by `open_image`."""

    num_frames = 1
    fps = FPS
    times = FrameTimes.constant(1, FPS)
    pixel_aspect = SQUARE

    def __init__(self, frame: np.ndarray, *, format_name: str, has_8_bits: bool = True) -> None:
        self._frame = frame  # (H, W, 3) uint8
        self.has_8_bits = has_8_bits  # of what is stored; of more, values above 255 are white
        self.format_name = format_name  # what the bytes are, for example "jpeg"

    @property
    def height(self) -> int:
        """Displayed height in pixels."""
        return self._frame.shape[0]

    @property
    def width(self) -> int:
        """Displayed width in pixels."""
        return self._frame.shape[1]

    def pts_seconds(self, index: int) -> float:
        """When the frame is displayed: 0.

        Raises:
            ValueError: `index` is not 0.
        """
        self._check([index])
        return 0.0

    def read(self, indices: Iterable[int]) -> np.ndarray:
        """The frame as often as it is asked for, (len(indices), H, W, 3) uint8, RGB.

        Raises:
            ValueError: an index is not 0.
        """
        positions = self._check(indices)
        return self._frame[None] if len(positions) == 1 else self._frame[None].repeat(len(positions), axis=0)

    def _check(self, indices: Iterable[int]) -> list[int]:
        positions = [operator.index(index) for index in indices]
        if any(positions):
            raise ValueError(f"a picture has frame 0 alone, {positions} are asked for")
        return positions

    def __enter__(self) -> "Picture":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open."""


def decode_picture(content: bytes, *, name: str) -> Picture:
    """Decode the bytes of a picture, see `open_image`; `name` is for messages.

    Raises:
        DecodeError: as `open_image`.
    """
    with opened_picture(content, name=name) as image:
        if image.width * image.height > MAX_FRAME_PIXELS:
            size = f"{image.width}x{image.height}"
            raise ValueError(f"its {size} pixels are more than the {MAX_FRAME_PIXELS} allowed")
        has_8_bits, frame = _has_8_bits(image), np.array(_as_rgb(image))
        return Picture(frame, format_name=(image.format or "").lower(), has_8_bits=has_8_bits)


class PictureHeader(NamedTuple):
    """What the header of a picture says.

    Attributes:
        height: of the upright picture, in pixels.
        width: likewise.
        has_8_bits: whether its values end at 255.
        turn: EXIF's number of the orientation, 1 = as stored.
    """

    height: int
    width: int
    has_8_bits: bool
    turn: int = 1

    @property
    def is_turned_unseen(self) -> bool:
        """Whether the file is turned in a way that its size does not show."""
        return self.turn in TURNS and (self.turn not in LYING or self.height == self.width)


def read_header(content: bytes, *, name: str) -> PictureHeader:
    """Read the header of a picture; the pixels are not read.

    Args:
        content: of the file.
        name: for messages.

    Raises:
        DecodeError: it is no picture of a known format, or its header is damaged.
    """
    with opened_picture(content, name=name) as image:
        turn = _orientation(image)
        sides = (image.width, image.height) if turn in LYING else (image.height, image.width)
        return PictureHeader(*sides, _has_8_bits(image), turn)


@contextmanager
def opened_picture(content: bytes, *, name: str) -> Iterator[Image.Image]:
    """The picture of some bytes, opened by Pillow; whatever is raised meanwhile becomes the error of the picture.

    Args:
        content: of the file.
        name: for messages.

    Raises:
        DecodeError: it is no picture of a known format, or anything was raised.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            yield image
    except Image.UnidentifiedImageError as error:
        raise picture_error(name, f"it is no picture of a known format ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's readers of damaged bytes raise whatever they stumble over
        raise picture_error(name, f"{error or type(error).__name__}") from error


def upright(image: Image.Image) -> Image.Image:
    """The picture in its own mode, turned as its EXIF says."""
    image.load()  # of a TIFF, this turns it already
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _as_rgb(image: Image.Image) -> Image.Image:
    """The picture as RGB, turned as its EXIF says."""
    image = upright(image)
    if isinstance(image.info.get("transparency"), bytes):
        del image.info["transparency"]  # convert would leave it out too, but warn of each picture
    return image.convert("RGB")


def _has_8_bits(image: Image.Image) -> bool:
    return not image.mode.startswith(DEEP_MODES)


def _orientation(image: Image.Image) -> int:
    """EXIF's number of the orientation, 1 = as stored; also where what stands there can't be read."""
    try:
        number = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF leaves the pixels whole
        return 1
    return number if isinstance(number, int) else 1


def picture_error(name: str, cause: str) -> DecodeError:
    """The error of a picture that can't be decoded."""
    return DecodeError(f"can't decode the picture {name!r}: {cause}")
