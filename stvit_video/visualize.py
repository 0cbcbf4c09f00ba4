"""`python -m stvit_video.visualize ckpt_path=run/best.ckpt video.mp4`: what tokens have seen, and say for a label.

A folder gets tubes.mp4 (a colour for each token), class_map.mp4 (what speaks for the label and against it), sheet.png,
timeline.png, and report.html with all of it. How soft the assignment of places to tokens is, and whether contribution
and occlusion agree, is printed.
"""

import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stvit_video.bundles.bundle_description import refuse_bundle
from stvit_video.data.decoding.request import DecodeError
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import (
    CKPT_PATH,
    DEVICE,
    LAYER,
    PROTOCOL,
    TIME_LIMIT,
    TOKENS,
    token_choices,
)
from stvit_video.predictions.checkpoint_digest import checkpoint_digest
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.token_maps.token_files import write_token_files
from stvit_video.token_maps.video_tokens import video_tokens
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.exit_status import FILES_FOLLOW
from stvit_video.utils.optional import INSTALL_PACKAGE, MissingLibraryError, load_optional
from stvit_video.utils.provenance import provenance
from stvit_video.utils.value_kinds import PATH, TEXT, whole
from stvit_video.utils.whole_folders import refuse_used, whole_folder
from stvit_video.visualization.token_captions import agreement_words, entropy_words
from stvit_video.visualization.token_record import VideoTokens
from stvit_video.visualization.token_words import doubts, label_words, place_words

FOLDER = Path("outputs", "visualize")
DIGEST_SHOWN = 16
MAX_NAME_BYTES = 120  # of a folder that is named after a video
BUNDLE_ADVICE = "bundles are not shown; give the checkpoint (.ckpt) that it was exported from"
COMMAND = Command(
    prog="python -m stvit_video.visualize",
    summary="Shows what the tokens of a video have seen, and what each says for a label, in two videos, a sheet, a "
    "timeline and a page.",
    positional=Positional(name="video", sign="VIDEO", help="a video, or a picture for a model of pictures"),
    settings=(
        CKPT_PATH,
        Setting(
            name="out",
            kind=replace(PATH, example="seen"),
            help="folder to make for tubes.mp4, class_map.mp4, sheet.png, timeline.png and report.html",
            default_words=f"{FOLDER}/<name of the video>",
        ),
        Setting(
            name="label",
            kind=replace(TEXT, example="jump"),
            help="name or number of the class that contributions are of",
            default_words="the likeliest",
        ),
        Setting(
            name="max_clips", kind=whole(low=1), help="clips of the video, evenly spread if it has more", default=8
        ),
        LAYER,
        *TOKENS,
        PROTOCOL,
        TIME_LIMIT,
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.visualize ckpt_path=run/best.ckpt video.mp4",
        "python -m stvit_video.visualize ckpt_path=run/best.ckpt video.mp4 out=seen label=jump max_clips=4",
        "python -m stvit_video.visualize ckpt_path=run/best.ckpt video.mp4 num_tokens=8 out=seen_8",
    ),
    notes="Exit status: 0 the files are written, 1 the video could not be read, 2 a setting is wrong, 130 Ctrl-C.",
)


def visualize(given: Given) -> None:
    """Write the folder and tell what the pictures are worth.

    Raises:
        ValueError: CheckpointError, a checkpoint of another task, a folder that holds something, or a wrong setting.
        DecodeError: the video can't be read.
        MissingLibraryError: jinja2 or matplotlib is not installed.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    out = FOLDER / _folder_name(given.video) if given.out is None else given.out
    refuse_used(out)
    recognizer = _recognizer(given)
    for library in ("jinja2", "matplotlib"):
        load_optional(library, needed_for="stvit_video.visualize", install=INSTALL_PACKAGE)
    try:
        with sigterm_ends(), whole_folder(out) as folder:
            video = video_tokens(
                recognizer,
                given.video,
                label=given.label,
                max_clips=given.max_clips,
                layer=given.layer,
                time_limit_seconds=given.time_limit_seconds,
            )
            names, notes = write_token_files(folder, video, made_with=_made_with(given, recognizer))
    except (KeyboardInterrupt, Terminated):
        print("stopped; nothing is written", file=sys.stderr, flush=True)
        raise
    _tell(video, notes)
    print(f"{', '.join(names[:-1])} and {names[-1]} are in {out}")


def _folder_name(video: Path) -> str:
    """The name of a video without its ending, of a length that every disk takes."""
    name = video.stem.encode(errors="surrogateescape")[:MAX_NAME_BYTES]
    return name.decode(errors="ignore") or "video"


def _recognizer(given: Given) -> Recognizer:
    """The checkpoint, with its settings."""
    refuse_bundle(given.ckpt_path, advice=BUNDLE_ADVICE)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "generate_at=")  # a note says it, see `untrained_notes`
        return load_recognizer(given.ckpt_path, device=given.device, protocol=given.protocol, **token_choices(given))


def _made_with(given: Given, recognizer: Recognizer) -> dict[str, str]:
    """How the files are made, for the page."""
    origin = provenance(recognizer.device)
    words = [f"{name}={_written(getattr(given, name))}" for name in sorted(given.named)]
    return {
        "Command": shlex.join([*COMMAND.prog.split(), *words, FILES_FOLLOW, str(given.video)]),
        "Checkpoint": f"{Path(*given.ckpt_path.parts[-2:])}, digest {checkpoint_digest(recognizer)[:DIGEST_SHOWN]}",
        "Date": origin["date"],
        "Commit": origin["commit"] or "unknown",
        "Hardware": origin["hardware"],
        "Versions": ", ".join(f"{name} {version}" for name, version in origin["versions"].items()),
    }


def _written(value: Any) -> str:
    """A value as the command line has it."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _tell(video: VideoTokens, notes: Sequence[str]) -> None:
    """Print what the pictures show and what they are worth."""
    print(f"{video.name}: {label_words(video)}")
    print(f"{place_words(video)} of {video.model_name}")
    if video.is_semantic:
        print(entropy_words(video.entropy))
    print(agreement_words(video))
    for note in (*doubts(video), *video.notes, *notes):
        print(f"note: {note}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the tokens of a video; gives the exit status."""
    return COMMAND.run(visualize, arguments, failures=(DecodeError, MissingLibraryError, NonFiniteLogitsError))


if __name__ == "__main__":
    sys.exit(main())
