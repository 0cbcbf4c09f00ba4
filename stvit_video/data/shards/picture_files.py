"""The bytes of a listed picture, and the values of a listed label map: a file, or a member of a .zip."""

import stat

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.decoding.pictures import picture_error
from stvit_video.data.decoding.stored_maps import decode_map
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.shards.zip_members import MAX_MEMBER_BYTES, read_member

__all__ = ["read_picture", "read_stored_map"]


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


def read_stored_map(record: VideoRecord, colours: bool) -> NDArray[np.integer]:
    """The values of a listed label map, see `decode_map`.

    Args:
        record: of the map.
        colours: whether its colours are wanted.

    Raises:
        DecodeError: as `read_picture` and `decode_map`.
    """
    return decode_map(read_picture(record), name=record.place, colours=colours)
