"""`python -m stvit_video.benchmark --table|data|predict|models`: what models cost, how quick they and their data are.

For the table of models each one runs once, on the CPU, while its operations are traced and counted. For the speed of
models, they and those of other libraries take turns (`model_benchmark/turns.py`). For the table of data, videos of a
folder are read as in training and testing, and by others. For predictions, a checkpoint labels the videos of a folder
by one call each, and by several processes.
"""

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from stvit_video.data.benchmarks.bare_decoders import find_videos
from stvit_video.data.benchmarks.suite import format_comparisons, measure_data
from stvit_video.data.curation.transcode import TranscodeError
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.cost.table import FORMATS, format_costs
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.predict_speed import format_speeds, measure_predicting
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE, PROTOCOL, TOKENS, token_choices
from stvit_video.model_benchmark.model_costs import choose_names, measure_costs
from stvit_video.model_benchmark.models_command import MODELS, print_models
from stvit_video.utils.command_line import Command, CommandLineError, Given, Setting, Switch
from stvit_video.utils.exit_status import DEBUG
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.processor import processor_name
from stvit_video.utils.provenance import load_average, load_words
from stvit_video.utils.value_kinds import PATH, WORDS, one_of, sizes, whole, whole_numbers

DATA_COMMAND = "data"
PREDICT_COMMAND = "predict"
DATA_FAILURES = (MissingLibraryError, BrokenVideosError, DecodeError, TranscodeError)
PREDICT_FAILURES = (DecodeError, NonFiniteLogitsError, WorkerCrashError)
TABLE = Command(
    prog="python -m stvit_video.benchmark",
    summary="What models cost: parameters, multiply-adds and tokens of one view.",
    switches=(Switch("table", "print the table (needed)"),),
    settings=(
        Setting(name="names", kind=WORDS, help="models or shell patterns", default=(), default_words="all"),
        Setting(
            name="num_tokens",
            kind=sizes(max_axes=3),
            help="semantic tokens, a count or a grid such as 4x4x4",
            default_words="each model's",
        ),
        Setting(
            name="generate_at",
            kind=whole(low=1),
            help="blocks before the tokens are generated, in a pyramid of level 3",
            default_words="each model's",
        ),
        Setting(name="num_frames", kind=whole(low=1), help="frames of a clip", default=16),
        Setting(name="image_size", kind=sizes(max_axes=2), help="pixels of a view, 224 or 224x160", default=(224,)),
        Setting(name="format", kind=one_of(FORMATS), help="of the table", default="markdown"),
    ),
    examples=(
        "python -m stvit_video.benchmark --table",
        "python -m stvit_video.benchmark --table names='stvit_*' num_tokens=32 format=csv",
        "python -m stvit_video.benchmark data videos=my_videos",
    ),
    notes="How quick reading data is: python -m stvit_video.benchmark data --help\n"
    "How many videos a second a checkpoint labels: python -m stvit_video.benchmark predict --help\n"
    "How quick models are beside those of other libraries: python -m stvit_video.benchmark models --help",
)
DATA = Command(
    prog="python -m stvit_video.benchmark",
    word=DATA_COMMAND,
    summary="How quick reading is: videos of a folder as in training and testing, and by others.",
    settings=(
        Setting(name="videos", kind=PATH, help="a folder with videos, in it or in folders in it", is_needed=True),
        Setting(name="num_workers", kind=whole(low=0), help="processes that read", default=2),
        Setting(name="num_frames", kind=whole(low=1), help="frames of a clip", default=16),
        Setting(name="frame_stride", kind=whole(low=1), help="from one frame of a clip to the next", default=4),
        Setting(name="limit", kind=whole(low=1), help="most videos to read", default=64),
    ),
    examples=(
        "python -m stvit_video.benchmark data videos=my_videos",
        "python -m stvit_video.benchmark data videos=my_videos num_workers=8 limit=500",
    ),
)
PREDICT = Command(
    prog="python -m stvit_video.benchmark",
    word=PREDICT_COMMAND,
    summary="How many videos a second a checkpoint labels: by one call each, and by several processes.",
    settings=(
        CKPT_PATH,
        Setting(name="videos", kind=PATH, help="a folder with videos, in it or in folders in it", is_needed=True),
        Setting(name="num_workers", kind=whole_numbers(), help="processes that decode, a row each", default=(0, 1, 2)),
        Setting(name="limit", kind=whole(low=1), help="most videos to label", default=64),
        Setting(name="repeats", kind=whole(low=1), help="rounds; their median counts", default=5),
        *TOKENS,
        PROTOCOL,
        DEVICE,
    ),
    examples=(
        "python -m stvit_video.benchmark predict ckpt_path=run/best.ckpt videos=my_videos",
        "python -m stvit_video.benchmark predict ckpt_path=run/best.ckpt videos=my_videos num_workers=2,8 limit=500",
    ),
)


def print_table(given: Given) -> None:
    """Measure and print what `--table` asks for.

    Raises:
        ValueError: a name, size or count that is not possible.
    """
    if not given.table:
        raise CommandLineError("nothing to measure; give --table, or data videos=FOLDER")
    image_size = given.image_size
    costs = measure_costs(
        choose_names(given.names),
        image_size=image_size * 2 if len(image_size) == 1 else image_size,
        num_frames=given.num_frames,
        **token_choices(given),
    )
    print(format_costs(costs, table_format=given.format))


def print_data(given: Given) -> None:
    """Measure and print what `data` asks for.

    Raises:
        ValueError: a number is out of range, or no video can be used; and what `measure_data` raises.
    """
    preprocessing = Preprocessing(
        num_frames=given.num_frames, frame_stride=given.frame_stride, short_side=256, crop_size=224
    )
    load_before = load_average()
    rows, notes = measure_data(
        str(given.videos), preprocessing=preprocessing, num_workers=given.num_workers, limit=given.limit
    )
    print(_machine(load_before))
    clip = f"clips of {given.num_frames} frames, stride {given.frame_stride}"
    print(f"{clip}, {given.num_workers} worker processes on either side (views: one process); {notes[0]}\n")
    print("\n".join([format_comparisons(rows), *(f"\n{note}" for note in notes[1:])]))


def print_predicting(given: Given) -> None:
    """Measure and print what `predict` asks for.

    Raises:
        ValueError: a setting that the checkpoint can't take, or no video.
        DecodeError: a video can't be read.
    """
    recognizer = load_recognizer(given.ckpt_path, device=given.device, protocol=given.protocol, **token_choices(given))
    files = [Path(file) for file in find_videos(given.videos, limit=given.limit)]
    load_before = load_average()
    speeds = measure_predicting(recognizer, files, num_workers=given.num_workers, repeats=given.repeats)
    print(f"{_machine(load_before)}\n{_words_of(recognizer, len(files))}; median of {given.repeats} rounds\n")
    print(format_speeds(speeds))


def _words_of(recognizer: Recognizer, num_videos: int) -> str:
    seen = recognizer.protocol.describe(short_side=recognizer.preprocessing.short_side)
    return f"{num_videos} videos, {recognizer.model_name}, {seen}, {recognizer.device}"


def _machine(load_before: float | None) -> str:
    date, load = datetime.now(timezone.utc).date().isoformat(), load_words(load_before)
    return f"{processor_name()}, {os.cpu_count()} cores, load {load} before, {load_words(load_average())} after; {date}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is asked for; gives the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    first = next((word for word in words if word != DEBUG), "")
    if first == DATA_COMMAND:
        return DATA.run(print_data, words, failures=DATA_FAILURES)
    if first == MODELS.word:
        return MODELS.run(print_models, words)
    if first == PREDICT_COMMAND:
        return PREDICT.run(print_predicting, words, failures=PREDICT_FAILURES)
    return TABLE.run(print_table, words)


if __name__ == "__main__":
    sys.exit(main())
