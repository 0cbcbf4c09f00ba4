"""`python -m stvit_video.benchmark --table` or `data --videos DIR`: what models cost, and how quick reading data is.

For the table of models each one runs once, on the CPU, while its operations are traced and counted. For the table of
data, videos of a folder are read as in training and testing, and by others.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Any

from stvit_video.data.benchmarks.suite import format_comparisons, measure_data
from stvit_video.data.curation.transcode import TranscodeError
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.clip_dataset import BrokenVideosError
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.evaluation.cost.published import published_figures
from stvit_video.evaluation.cost.table import FORMATS, Cost, format_costs
from stvit_video.models import create_model, list_models, model_options
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.provenance import processor_name

IN_CHANNELS = 3
DATA_COMMAND = "data"


def choose_names(patterns: Sequence[str]) -> list[str]:
    """The models that names or shell patterns such as "stvit_*" ask for, each once; all where there are none.

    Raises:
        ValueError: a name that is no model's, or a pattern that no model has.
    """
    known = list_models()
    chosen: dict[str, None] = {}
    for pattern in patterns or ["*"]:
        matching = [name for name in known if fnmatchcase(name, pattern)]
        if not matching and not set(pattern) & set("*?["):
            model_options(pattern)  # says which name is the closest
        if not matching:
            raise ValueError(f"no model's name matches {pattern!r}; the names are {', '.join(known)}")
        chosen.update(dict.fromkeys(matching))
    return list(chosen)


def dense_name(name: str) -> str:
    """The dense model of the same family and size: without stvit_ or stvit_r_ in front."""
    return re.sub("^stvit_(r_)?", "", name)


def measure_cost(
    name: str,
    *,
    image_size: tuple[int, ...] = (224, 224),
    num_frames: int = 16,
    num_tokens: int | tuple[int, ...] | None = None,
) -> Cost:
    """Build a model with its default options and count one view.

    Args:
        name: of the model.
        image_size: (H, W) pixels.
        num_frames: frames T of a clip; image models have none.
        num_tokens: semantic tokens, a count or a grid; None = the model's default. Dense models have none.

    Raises:
        ValueError: what the model refuses, after its name.
    """
    is_video, is_dense = "num_frames" in model_options(name), name == dense_name(name)
    input_size = (num_frames, *image_size) if is_video else image_size
    options: dict[str, Any] = {"num_frames": num_frames} if is_video else {}
    tokens: dict[str, Any] = {"num_tokens": num_tokens} if num_tokens is not None and not is_dense else {}
    try:
        model = create_model(name, image_size=image_size, **options, **tokens)
        gmacs = count_gmacs(model, (IN_CHANNELS, *input_size))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return Cost(
        name=name,
        input_size=input_size,
        num_parameters=count_parameters(model),
        gmacs=gmacs,
        tokens=model.tokens_per_level(),
        published=None if tokens else published_figures(name, input_size),
    )


def measure_costs(
    names: Sequence[str],
    *,
    image_size: tuple[int, ...] = (224, 224),
    num_frames: int = 16,
    num_tokens: int | tuple[int, ...] | None = None,
) -> list[Cost]:
    """The costs of several models, each beside the dense model of its family, size and input.

    Args:
        names: of the models; the other settings are those of `measure_cost`.

    Returns:
        Images before clips, by family and size, the dense model first.

    Raises:
        ValueError: as `measure_cost`.
    """
    wanted = dict.fromkeys([*names, *map(dense_name, names)])
    costs = {
        name: measure_cost(name, image_size=image_size, num_frames=num_frames, num_tokens=num_tokens) for name in wanted
    }
    rows = [
        replace(costs[name], dense_gmacs=None if name == dense_name(name) else costs[dense_name(name)].gmacs)
        for name in names
    ]

    def place(cost: Cost) -> tuple[int, str, int, int]:
        dense = dense_name(cost.name)
        return len(cost.input_size), dense.rpartition("_")[0], costs[dense].num_parameters, len(cost.name)

    return sorted(rows, key=place)


def parse_sizes(option: str, text: str) -> tuple[int, ...]:
    """(4, 5) of "4x5", (4,) of "4".

    Raises:
        ValueError: other characters, or a size of 0.
    """
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise ValueError(f"{option} {text!r} is not possible; give whole numbers of at least 1, such as 64 or 4x4")
    return tuple(int(size) for size in text.split("x"))


def print_table(arguments: argparse.Namespace) -> None:
    """Measure and print what `--table` asks for.

    Raises:
        ValueError: a name, size or count that is not possible.
    """
    image_size = parse_sizes("--image-size", arguments.image_size)
    if len(image_size) > 2:
        raise ValueError(f"--image-size {arguments.image_size!r} is not possible; give 224, or height x width: 224x160")
    tokens = None if arguments.num_tokens is None else parse_sizes("--num-tokens", arguments.num_tokens)
    num_frames = parse_sizes("--num-frames", arguments.num_frames)
    if len(num_frames) > 1:
        raise ValueError(f"--num-frames {arguments.num_frames!r} is not possible; give one whole number, such as 16")
    costs = measure_costs(
        choose_names([name for name in arguments.names.split(",") if name]),
        image_size=image_size * 2 if len(image_size) == 1 else image_size,
        num_frames=num_frames[0],
        num_tokens=tokens[0] if tokens is not None and len(tokens) == 1 else tokens,
    )
    print(format_costs(costs, table_format=arguments.format))


def print_data(arguments: argparse.Namespace) -> None:
    """Measure and print what `data` asks for.

    Raises:
        ValueError: a number is out of range, or no video can be used; and what `measure_data` raises.
    """
    preprocessing = Preprocessing(
        num_frames=arguments.num_frames, frame_stride=arguments.frame_stride, short_side=256, crop_size=224
    )
    load_before = _load_average()
    rows, notes = measure_data(
        arguments.videos, preprocessing=preprocessing, num_workers=arguments.num_workers, limit=arguments.limit
    )
    date = datetime.now(timezone.utc).date().isoformat()
    print(f"{processor_name()}, {os.cpu_count()} cores, load {load_before} before, {_load_average()} after; {date}")
    clip = f"clips of {arguments.num_frames} frames, stride {arguments.frame_stride}"
    print(f"{clip}, {arguments.num_workers} worker processes on either side (views: one process); {notes[0]}\n")
    print("\n".join([format_comparisons(rows), *(f"\n{note}" for note in notes[1:])]))


def _load_average() -> str:
    """Of the last minute; "unknown" where the system does not tell."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m stvit_video.benchmark",
        description="What models cost; how quick data is: python -m stvit_video.benchmark data --help",
    )
    parser.add_argument(
        "--table", action="store_true", help="print parameters, multiply-adds and tokens of every model"
    )
    parser.add_argument("--names", default="", help="models or shell patterns, such as deit_small,'stvit_*' (all)")
    parser.add_argument("--num-tokens", help="semantic tokens, a count or a grid such as 4x4x4 (each model's default)")
    parser.add_argument("--num-frames", default="16", help="frames of a clip (16)")
    parser.add_argument("--image-size", default="224", help="pixels of a view, 224 or 224x160 (224)")
    parser.add_argument("--format", choices=FORMATS, default="markdown", help="of the table (markdown)")
    return parser


def build_data_parser() -> argparse.ArgumentParser:
    """The command line of `data`."""
    parser = argparse.ArgumentParser(prog="python -m stvit_video.benchmark data", description="How quick reading is.")
    parser.add_argument("--videos", required=True, help="a folder with videos, in it or in folders in it")
    parser.add_argument("--num-workers", type=int, default=2, help="processes that read (2)")
    parser.add_argument("--num-frames", type=int, default=16, help="frames of a clip (16)")
    parser.add_argument("--frame-stride", type=int, default=4, help="from one frame of a clip to the next (4)")
    parser.add_argument("--limit", type=int, default=64, help="most videos to read (64)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is asked for; the exit code is 0, or 2 for wrong arguments."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] == DATA_COMMAND:
        return _main_data(arguments[1:])
    parser = build_parser()
    parsed = parser.parse_args(arguments)
    if not parsed.table:
        parser.error("nothing to measure; give --table, or data --videos FOLDER")
    try:
        print_table(parsed)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _main_data(arguments: Sequence[str]) -> int:
    try:
        print_data(build_data_parser().parse_args(arguments))
    except (ValueError, MissingLibraryError, BrokenVideosError, DecodeError, TranscodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
