"""The face of `stvit_video.data.decoding`: `open_video`, its errors, and the names of the backends."""

from stvit_video.data.decoding.request import DecodeError, DecodeTimeoutError
from stvit_video.data.decoding.video import BACKENDS, Video, open_video

__all__ = ["BACKENDS", "DecodeError", "DecodeTimeoutError", "Video", "open_video"]
