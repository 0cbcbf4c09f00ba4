"""`python -m stvit_video.data explain video.mp4 protocol=videoswin`: which frames and crops a protocol takes."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.explain import describe_video, draw_video, explain_video
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.value_kinds import PATH, TEXT, one_of, positive_number, whole
from stvit_video.utils.written_paths import on_disk

NUMBERS = {
    "num_frames": "frames of a clip",
    "frame_stride": "distance between two frames of a clip, in video frames",
    "num_clips": "clips of the video",
    "num_crops": "crops of a clip, 1 or 3",
    "short_side": "pixels of the short side before cropping",
    "crop_size": "pixels of a crop's side",
}
PUBLISHED = "as the protocol was published"
COMMAND = Command(
    prog="python -m stvit_video.data",
    word="explain",
    summary="Prints the frames of each clip and the place of each crop of a test protocol, and draws them.",
    positional=Positional(name="file", sign="FILE", help="the video"),
    settings=(
        Setting(name="protocol", kind=one_of(PROTOCOLS, sign="NAME"), help=", ".join(PROTOCOLS), default="uniform"),
        *(Setting(name=name, kind=whole(low=1), help=text, default_words=PUBLISHED) for name, text in NUMBERS.items()),
        Setting(name="backend", kind=TEXT, help="decoder", default="auto"),
        Setting(
            name="time_limit_seconds",
            kind=positive_number(),
            help="for opening a video and for each reading of it",
            default_words="10, and more for a long video",
        ),
        Setting(name="out", kind=PATH, help="picture to write", default=Path("plan.png")),
    ),
    examples=(
        "python -m stvit_video.data explain video.mp4 protocol=videoswin",
        "python -m stvit_video.data explain video.mp4 protocol=mvit num_clips=2 out=mvit.png",
    ),
)


def explain(given: Given) -> None:
    """Print and draw.

    Raises:
        ValueError: a setting out of range.
        DecodeError: the video can't be read.
        MissingLibraryError: the decoder is not installed.
        OSError: the picture can't be written.
    """
    numbers = {name: getattr(given, name) for name in NUMBERS if getattr(given, name) is not None}
    video = explain_video(
        on_disk(given.file),
        protocol=given.protocol,
        backend=given.backend,
        time_limit_seconds=given.time_limit_seconds,
        **numbers,
    )
    draw_video(video, given.out)
    print("\n".join(describe_video(video)))
    print(f"{given.out} shows them")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print and draw; gives the exit status, 1 if the file can't be read or written."""
    return COMMAND.run(explain, arguments, failures=(DecodeError, MissingLibraryError))


if __name__ == "__main__":
    sys.exit(main())
