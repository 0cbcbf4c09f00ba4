"""Decode a listed picture: a file, or a member of a .zip."""

from stvit_video.data.decoding.pictures import Picture, decode_picture
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards.picture_files import read_picture


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
    return decode_picture(read_picture(record), name=record.place)
