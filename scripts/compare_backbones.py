"""Multiply-adds and CPU time of the maps that Swin and STViT-R make of a picture, turn by turn, with one thread.

python scripts/compare_backbones.py size=small image_size=800x1280
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model
from stvit_video.models.swin.family import SWIN
from stvit_video.models.swin.windowed import RELEASED_WINDOWS
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.value_kinds import one_of, sizes, whole

COMMAND = Command(
    prog="python scripts/compare_backbones.py",
    summary="Multiply-adds and CPU time of the maps that Swin and STViT-R make of a picture, with one thread.",
    settings=(
        Setting(name="size", kind=one_of(SWIN.sizes), help="of the models", default="small"),
        Setting(name="image_size", kind=sizes(max_axes=2), help="pixels, 800x1280 or 800", default=(800, 1280)),
        Setting(name="batch_size", kind=whole(low=1), help="pictures of a pass", default=1),
        Setting(name="rounds", kind=whole(low=1), help="turns of each model; the quickest counts", default=4),
    ),
    examples=("python scripts/compare_backbones.py", "python scripts/compare_backbones.py size=tiny image_size=448"),
)


def backbones(size: str) -> dict[str, TokenModel]:
    """The models of the table by their rows, the dense one first."""
    made: dict[str, tuple[str, Mapping[str, Any]]] = {
        f"swin_{size}": (f"swin_{size}", {}),
        f"stvit_r_swin_{size}": (f"stvit_r_swin_{size}", {}),
        f"stvit_r_swin_{size}, windowed": (f"stvit_r_swin_{size}", RELEASED_WINDOWS),
    }
    return {row: create_model(name, features_only=True, **options).eval() for row, (name, options) in made.items()}


def quickest(passes: Mapping[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """CPU seconds of the quickest pass of each row; they take turns, and the first turn is not counted."""
    seconds = {row: float("inf") for row in passes}
    for turn in range(rounds + 1):
        for row, run in passes.items():
            start = time.process_time()
            run()
            if turn:
                seconds[row] = min(seconds[row], time.process_time() - start)
    return seconds


def table(gmacs: Mapping[str, float], seconds: Mapping[str, float]) -> str:
    """A line for each row, compared with the first."""
    dense = next(iter(gmacs))
    lines = ["| backbone | GMACs | to dense | CPU s | to dense |", "|---|--:|--:|--:|--:|"]
    for row, count in gmacs.items():
        saved, ratio = count / gmacs[dense] - 1, seconds[row] / seconds[dense]
        lines.append(f"| {row} | {count:.2f} | {saved:+.1%} | {seconds[row]:.2f} | {ratio:.2f} |")
    return "\n".join(lines)


def compare(options: Given) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    sides = options.image_size if len(options.image_size) == 2 else options.image_size * 2
    models, pictures = backbones(options.size), torch.randn(options.batch_size, 3, *sides)
    gmacs = {row: count_gmacs(model, (3, *sides)) for row, model in models.items()}
    with torch.inference_mode():
        passes = {row: lambda model=model: model(pictures) for row, model in models.items()}  # type: ignore[misc]
        print(table(gmacs, quickest(passes, rounds=options.rounds)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; gives the exit status."""
    return COMMAND.run(compare, arguments)


if __name__ == "__main__":
    sys.exit(main())
