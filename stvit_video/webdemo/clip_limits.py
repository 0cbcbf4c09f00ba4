"""What a clip on the page may be, and the sentence that is said of another one. Nothing here needs gradio."""

import re
from dataclasses import dataclass
from pathlib import Path

from stvit_video.data.decoding.request import DecodeError, DecoderKilledError
from stvit_video.data.decoding.video import CAN_ISOLATE, open_video
from stvit_video.utils.durations import in_words

__all__ = ["ClipFacts", "ClipLimits", "RefusedError", "check_clip", "words_of_decoding"]

SHOWN = "the clip"  # in place of the path, which is the server's and means nothing to a visitor
MAX_FPS = 240.0  # of which no more frames than this make a second: a file may state any number
MAX_PIXELS = 4096 * 2304
LATE = re.compile(r"took longer than the time limit of ([\d.e+]+ s)")
JARGON = re.compile(r"Errno|avcodec|avformat|ffmpeg|packet|decoding process|Invalid data")  # says nothing to a visitor


class RefusedError(ValueError):
    """A clip or a choice that the page does not take; the message is a whole sentence for its visitor."""


@dataclass(frozen=True, kw_only=True)
class ClipLimits:
    """What one clip may take.

    Attributes:
        max_megabytes: of the file, in 10^6 bytes.
        max_seconds: of the clip.
        time_limit_seconds: for all reading that a request needs, and for the copy that a browser can play.
    """

    max_megabytes: int = 100
    max_seconds: float = 120.0
    time_limit_seconds: float = 20.0

    @property
    def max_bytes(self) -> int:
        """Most bytes of a file."""
        return self.max_megabytes * 10**6

    def check_size(self, num_bytes: int) -> None:
        """Refuse a file before it is read.

        Raises:
            RefusedError: it is empty, or too large.
        """
        if num_bytes == 0:
            raise RefusedError("The file is empty (0 bytes); choose another one.")
        if num_bytes > self.max_bytes:
            raise RefusedError(
                f"The file has {num_bytes / 1e6:.0f} MB and this page takes up to {self.max_megabytes} MB; choose a "
                "smaller or shorter one."
            )


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """What is known of a clip before its frames are decoded: seconds, frames, and pixels as shown."""

    seconds: float
    num_frames: int
    height: int
    width: int

    def __str__(self) -> str:
        length = f"{self.seconds:.1f} s" if self.seconds < 60 else in_words(self.seconds)
        return f"{length}, {self.num_frames} frames of {self.width} x {self.height} pixels"


def check_clip(path: Path, limits: ClipLimits) -> ClipFacts:
    """List the packets of a clip, in a process that can be ended, and hold it against the limits.

    Raises:
        RefusedError: it can't be read, or is too long, too many frames or too large.
    """
    limits.check_size(path.stat().st_size)
    try:
        with open_video(
            path, time_limit_seconds=limits.time_limit_seconds, isolate=CAN_ISOLATE or None, name=SHOWN
        ) as video:
            facts = ClipFacts(
                seconds=video.times.duration_seconds,
                num_frames=video.num_frames,
                height=video.height,
                width=video.width,
            )
    except DecodeError as error:
        raise RefusedError(words_of_decoding(error, path)) from error
    _check_facts(facts, limits)
    return facts


def words_of_decoding(error: DecodeError, path: Path) -> str:
    """The sentence of a clip that can't be read, without the path, the names of our settings and those of ffmpeg."""
    if isinstance(error, DecoderKilledError):  # by the system, which is no fault of the clip
        return "Reading the clip took more memory than the demo has now; try again, or choose a smaller one."
    cause = str(error).replace(str(path), SHOWN).partition("with backend ")[2].partition(": ")[2] or str(error)
    late = LATE.search(cause)
    if late:
        return (
            f"Reading the clip took longer than the {late[1]} that it may take here; choose a shorter or smaller one."
        )
    if JARGON.search(cause):
        return "The file can't be read as a video; choose another one."
    return f"The clip can't be read: {cause.replace(str(path), SHOWN)}."


def _check_facts(facts: ClipFacts, limits: ClipLimits) -> None:
    if facts.seconds > limits.max_seconds:
        raise RefusedError(
            f"The clip lasts {in_words(facts.seconds)} and this page takes up to "
            f"{in_words(limits.max_seconds)}; cut a part out of it."
        )
    most = int(limits.max_seconds * MAX_FPS)
    if facts.num_frames > most:
        raise RefusedError(
            f"The clip has {facts.num_frames} frames and this page takes up to {most}; cut a part out of it."
        )
    if facts.height * facts.width > MAX_PIXELS:
        raise RefusedError(
            f"The frames have {facts.width} x {facts.height} pixels and this page takes up to {MAX_PIXELS / 1e6:.1f} "
            "million; scale the clip down."
        )
