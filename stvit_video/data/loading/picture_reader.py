"""Read a listed picture: a file, or a member of a .zip."""

import stat

from stvit_video.data.decoding.pictures import Picture, decode_picture, picture_error
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards.zip_members import MAX_MEMBER_BYTES, read_member


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
            raise picture_error(record.place, "this is no regular file")  # a pipe would be waited for
        if found.st_size > MAX_MEMBER_BYTES:
            raise picture_error(
                record.place, f"it has {found.st_size} bytes, more than the {MAX_MEMBER_BYTES} bytes allowed"
            )
        return record.path.read_bytes()
    except FileNotFoundError as error:
        raise picture_error(record.place, "the file does not exist") from error
    except OSError as error:
        raise picture_error(record.place, error.strerror or str(error)) from error
