"""Pictures as videos of one frame, so that image models train, evaluate and predict like the video ones.

Pillow decodes: it is what the published image models were trained with, it reads every format that people keep
pictures in, and its `convert("RGB")` is the rule that others are compared with.
"""

import io
import operator
import stat
from collections.abc import Iterable
from types import TracebackType

import numpy as np
from PIL import Image

from stvit_video.data.listing import Manifest, VideoRecord
from stvit_video.data.places import MAX_FRAME_PIXELS
from stvit_video.data.source import DecodeError
from stvit_video.data.zip_members import MAX_MEMBER_BYTES, read_member

IMAGE_EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
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


class Picture:
    """A decoded picture that answers like an open video of one frame; made by `open_image`."""

    num_frames = 1
    fps = FPS

    def __init__(self, frame: np.ndarray, *, format_name: str) -> None:
        self._frame = frame  # (H, W, 3) uint8
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


def open_image(record: VideoRecord) -> Picture:
    """Decode a listed picture: a file, or a member of a .zip.

    Grey, palette, CMYK, 16-bit and transparent pictures become RGB as Pillow's `convert("RGB")` has it; of an
    animation the first frame counts.

    Raises:
        DecodeError: the picture is absent, damaged, cut short, of more than MAX_FRAME_PIXELS, or no picture at all; the
            message names the file, the member, and the cause. There is no time limit: the pixel count bounds the time.

    Differs: a picture whose EXIF says so is turned upright, as cameras store it; torchvision's ImageFolder and timm
        take it as it is stored.
    """
    return decode_picture(read_picture(record), record)


def read_picture(record: VideoRecord) -> bytes:
    """The bytes of a listed picture.

    Raises:
        DecodeError: the file is absent, no regular file, or larger than MAX_MEMBER_BYTES; of a member see
            `read_member`.
    """
    if record.byte_range is not None:
        return read_member(record.path, record.member, record.byte_range)
    try:
        found = record.path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _error(record, "this is no regular file")  # a pipe would be waited for
        if found.st_size > MAX_MEMBER_BYTES:
            raise _error(record, f"it has {found.st_size} bytes, more than the {MAX_MEMBER_BYTES} bytes allowed")
        return record.path.read_bytes()
    except FileNotFoundError as error:
        raise _error(record, "the file does not exist") from error
    except OSError as error:
        raise _error(record, error.strerror or str(error)) from error


def decode_picture(content: bytes, record: VideoRecord) -> Picture:
    """What `open_image` makes of a picture's bytes; `record` is for messages.

    Raises:
        DecodeError: as `open_image`.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_FRAME_PIXELS:
                size = f"{image.width}x{image.height}"
                raise ValueError(f"its {size} pixels are more than the {MAX_FRAME_PIXELS} allowed")
            return Picture(np.array(_upright(image)), format_name=(image.format or "").lower())
    except Image.UnidentifiedImageError as error:
        raise _error(record, f"it is no picture of a known format ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's readers of damaged bytes raise whatever they stumble over
        raise _error(record, f"{error or type(error).__name__}") from error


def is_picture_file(name: str) -> bool:
    """Whether the extension is that of a picture."""
    return name.lower().endswith(IMAGE_EXTENSIONS)


def require_one_frame(manifest: Manifest, *, num_frames: int) -> None:
    """Raise where pictures would be shown as clips of several frames, all the same.

    Args:
        manifest: what is to be shown.
        num_frames: frames of a clip.

    Raises:
        ValueError: clips of several frames, and a listed picture.
    """
    pictures = [record for record in manifest.records if record.is_picture] if num_frames > 1 else []
    if pictures:
        raise ValueError(
            f"{pictures[0].place} is a picture, and the model takes clips of {num_frames} frames; give videos, or a "
            "checkpoint of an image model"
        )


def _upright(image: Image.Image) -> Image.Image:
    """The picture as RGB, turned as its EXIF says."""
    image.load()  # of a TIFF, this turns it already
    if isinstance(image.info.get("transparency"), bytes):
        del image.info["transparency"]  # convert would leave it out too, but warn of each picture
    turn = TURNS.get(_orientation(image))
    image = image.convert("RGB")
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """EXIF's number of the orientation, 1 = as stored; also where what stands there can't be read."""
    try:
        number = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF leaves the pixels whole
        return 1
    return number if isinstance(number, int) else 1


def _error(record: VideoRecord, cause: str) -> DecodeError:
    return DecodeError(f"can't decode the picture {record.place!r}: {cause}")
