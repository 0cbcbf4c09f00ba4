"""Label maps as they are stored: pictures whose values are no colours."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stvit_video.data.decoding.container import MAX_FRAME_PIXELS
from stvit_video.data.decoding.pictures import opened_picture, upright

__all__ = ["LossyMapError", "decode_map"]

MAX_VALUE = 2**16 - 1
LOSSY = ("JPEG",)  # formats that change values


class LossyMapError(ValueError):
    """A label map of a format that changes values; the cause of a `DecodeError`."""


def decode_map(content: bytes, *, name: str, colours: bool = False) -> NDArray[np.integer]:
    """Decode a label map: grey or palette picture of 1, 8 or 16 bits, or one of colours.

    Args:
        content: of the file.
        name: for messages.
        colours: whether the colours are wanted; of a palette picture, too, whose indices count otherwise.

    Returns:
        (H, W) values from 0 to 65535; (H, W, 3) uint8 colours, red, green, blue, of a picture of colours, or where
        they are wanted. A picture of colours that are all grey gives (H, W) values where no colours are wanted. The
        map is turned as its EXIF says, as the picture is.

    Raises:
        DecodeError: the map is damaged, of more than MAX_FRAME_PIXELS, a JPEG, or has values beyond 16 bits.
    """
    with opened_picture(content, name=name) as image:
        if image.width * image.height > MAX_FRAME_PIXELS:
            raise ValueError(f"its {image.width}x{image.height} pixels are more than the {MAX_FRAME_PIXELS} allowed")
        if image.format in LOSSY:
            raise LossyMapError(f"a label map can't be a {image.format}, which changes values; save maps as PNG")
        image = upright(image)
        return _colours(image) if colours else _values(image)


def _colours(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"it has no colours, but values of more than 8 bits (mode {image.mode})")
    if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
        del image.info["transparency"]  # convert would leave it out too, but warn of each map
    return np.array(image.convert("RGB"))


def _values(image: Image.Image) -> NDArray[np.integer]:
    """(H, W), or (H, W, 3) of colours that are not all grey."""
    if image.mode in ("1", "L", "P"):
        return np.array(image).astype(np.uint8)
    if image.mode in ("LA", "PA"):
        return np.array(image.getchannel(0))
    if image.mode.startswith("I"):
        wide = np.array(image).astype(np.int64)
        if wide.size and not 0 <= wide.min() <= wide.max() <= MAX_VALUE:
            raise ValueError(f"it has values from {wide.min()} to {wide.max()}; 0 to {MAX_VALUE} are possible")
        return wide.astype(np.uint16)
    if image.mode == "F":
        raise ValueError("it has fractions as values; save whole numbers as PNG")
    stored = _colours(image)
    is_grey = bool((stored[..., :1] == stored[..., 1:]).all())
    return stored[..., 0] if is_grey else stored
