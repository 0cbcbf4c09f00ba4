"""`python -m stvit_video.data explain video.mp4 protocol=videoswin`: which frames and crops a protocol takes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.explain import describe_video, draw_video, explain_video
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.utils.command_line import positive_number, split_arguments
from stvit_video.utils.optional import MissingLibraryError

NUMBERS = ("num_frames", "frame_stride", "num_clips", "num_crops", "short_side", "crop_size")
KEYS = ("protocol", *NUMBERS, "backend", "out")

USAGE = f"""python -m stvit_video.data explain FILE protocol=NAME [key=value ...]

Prints the frames of each clip and the place of each crop, and draws them.

  protocol=NAME    {", ".join(PROTOCOLS)} (default: uniform)
  num_frames=N     frames of a clip; this and the next ones by default as the protocol was published
  frame_stride=N   distance between two frames of a clip, in video frames
  num_clips=N      clips of the video
  num_crops=1|3    crops of a clip
  short_side=N     pixels of the short side before cropping
  crop_size=N      pixels of a crop's side
  backend=NAME     decoder (default: auto)
  out=FILE         picture to write (default: plan.png)

A file whose name holds '=' or begins with '-' goes after '--'."""


@dataclass(frozen=True, kw_only=True)
class ExplainArguments:
    """What the command line asks for; numbers that are not named are as the protocol says."""

    file: Path
    protocol: str = "uniform"
    numbers: dict[str, int] = field(default_factory=dict)
    backend: str = "auto"
    out: Path = Path("plan.png")


def parse_arguments(arguments: Sequence[str]) -> ExplainArguments:
    """Read the command, one file and key=value options.

    Raises:
        ValueError: another command, an unknown key, a value that is no number, or not exactly one file.
    """
    if list(arguments[:1]) != ["explain"]:
        raise ValueError(f"the command must be explain, got {arguments[0] if arguments else 'nothing'!r}; use --help")
    options, files = split_arguments(arguments[1:], keys=KEYS)
    if len(files) != 1:
        raise ValueError(f"{len(files)} video files are given, needed is one; name it behind 'explain'")
    return ExplainArguments(
        file=Path(files[0]),
        protocol=options.get("protocol", "uniform"),
        numbers={key: positive_number(key, options[key]) for key in NUMBERS if key in options},
        backend=options.get("backend", "auto"),
        out=Path(options.get("out", "plan.png")),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print and draw; the exit code is 0, 1 if the file can't be read or written, 2 for wrong arguments."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if {"-h", "--help"} & set(given[: given.index("--")] if "--" in given else given):
        print(USAGE)
        return 0
    try:
        wanted = parse_arguments(given)
        video = explain_video(wanted.file, protocol=wanted.protocol, backend=wanted.backend, **wanted.numbers)
        draw_video(video, wanted.out)
    except (DecodeError, MissingLibraryError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(describe_video(video)))
    print(f"{wanted.out} shows them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
