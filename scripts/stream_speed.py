"""CPU time of a step of a stream and of its window computed anew, turn by turn, and the bound of multiply-adds.

python scripts/stream_speed.py generate_at=4,2,1 num_tokens=64,16 out=stream_speed.csv
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from compare_backbones import quickest
from torch import Tensor, nn

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model
from stvit_video.models.registry import MODELS
from stvit_video.streaming import StreamingRecognizer
from stvit_video.streaming.model_halves import decide_steps, encode_steps, frames_per_step
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.measured_tables import markdown_table, write_measured_table
from stvit_video.utils.value_kinds import PATH, one_of, whole, whole_numbers

STREAMED = tuple(name for name in MODELS if name.startswith(("stvit_video_deit_", "stvit_video_casvit_")))
COMMAND = Command(
    prog="python scripts/stream_speed.py",
    summary="CPU time of a step of a stream and of the whole window computed anew, beside the bound of multiply-adds.",
    settings=(
        Setting(name="name", kind=one_of(STREAMED), help="a model", default="stvit_video_deit_small"),
        Setting(
            name="generate_at",
            kind=whole_numbers(low=1),
            help="blocks before the tokens are generated, rows each",
            default=(4, 2, 1),
        ),
        Setting(name="num_tokens", kind=whole_numbers(low=1), help="semantic tokens, a row each", default=(64, 16)),
        Setting(name="num_frames", kind=whole(low=1), help="frames of a window", default=16),
        Setting(name="image_size", kind=whole(low=1), help="pixels of a frame's side", default=224),
        Setting(name="num_threads", kind=whole(low=1), help="CPU threads of torch", default=1),
        Setting(name="rounds", kind=whole(low=1), help="turns of each way; the quickest counts", default=5),
        Setting(name="out", kind=PATH, help="CSV file to write", default_words="none"),
    ),
    examples=(
        "python scripts/stream_speed.py",
        "python scripts/stream_speed.py generate_at=4 num_tokens=16 rounds=20 out=stream_speed.csv",
    ),
)
HEADS = ("tokens", "after", "window GMACs", "step GMACs", "bound", "window ms", "step ms", "ratio", "of the bound")


@dataclass(frozen=True, kw_only=True)
class StreamCost:
    """What one way of running the model costs.

    Attributes:
        num_tokens: semantic tokens.
        generate_at: blocks before they are generated.
        window_gmacs: of a whole window.
        step_gmacs: of a step: its frames encoded, and the window decided.
        window_ms: CPU milliseconds of a whole window.
        step_ms: CPU milliseconds of a push of one tubelet.
    """

    num_tokens: int
    generate_at: int
    window_gmacs: float
    step_gmacs: float
    window_ms: float = 0.0
    step_ms: float = 0.0

    @property
    def bound(self) -> float:
        """How many times less a step can cost, by multiply-adds."""
        return self.window_gmacs / self.step_gmacs

    @property
    def ratio(self) -> float:
        """How many times less a step costs."""
        return self.window_ms / self.step_ms

    def cells(self) -> list[str]:
        """A row of the table, one for each of HEADS."""
        numbers = [f"{self.window_gmacs:.2f}", f"{self.step_gmacs:.2f}", f"{self.bound:.2f}"]
        times = [f"{self.window_ms:.1f}", f"{self.step_ms:.1f}", f"{self.ratio:.2f}", f"{self.ratio / self.bound:.0%}"]
        return [str(self.num_tokens), str(self.generate_at), *numbers, *times]


class Half(nn.Module):
    """One of the halves of a model, as a module whose multiply-adds can be counted."""

    def __init__(self, model: TokenModel, half: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.half = model, half

    def forward(self, x: Tensor) -> Tensor:
        """Frames or tokens, with a batch axis -> tokens or logits."""
        return self.half(self.model, x)


def costs_in_macs(model: TokenModel, clip: Tensor) -> StreamCost:
    """Multiply-adds of a window (C, T, H, W) and of a step."""
    step = clip[:, : frames_per_step(model)]  # (C, frames_per_step, H, W)
    with torch.inference_mode():
        tokens = encode_steps(model, clip[None])[0]  # (T, *grid, C)
    encode = count_gmacs(Half(model, encode_steps), step.shape)
    decide = count_gmacs(Half(model, decide_steps), tokens.shape)
    assert model.token_grid is not None
    assert model.generate_at is not None
    return StreamCost(
        num_tokens=model.token_grid.count,
        generate_at=model.generate_at,
        window_gmacs=count_gmacs(model, clip.shape),
        step_gmacs=encode + decide,
    )


def passes(model: TokenModel, clip: Tensor) -> dict[str, Callable[[], Any]]:
    """The window computed anew, and a push of the next tubelet once the window is full."""
    num_frames, size = clip.shape[1], clip.shape[2]
    sizes = Preprocessing(num_frames=num_frames, frame_stride=1, short_side=size, crop_size=size)
    step = frames_per_step(model)
    recognizer = StreamingRecognizer(model, stride_frames=step, preprocessing=sizes)
    recognizer.push(clip)
    return {"window": partial(_whole, model, clip[None]), "step": partial(recognizer.push, clip[:, :step].contiguous())}


@torch.inference_mode()
def _whole(model: TokenModel, clips: Tensor) -> Any:
    return model(clips).numpy()


def measure(options: Given) -> None:
    """Print the table, and write it where `out` says.

    Raises:
        ValueError: a setting that the model refuses.
        OSError: the file can't be written.
    """
    torch.set_num_threads(options.num_threads)
    frames = {"num_frames": options.num_frames, "image_size": options.image_size}
    clip = torch.randn(3, options.num_frames, options.image_size, options.image_size)
    costs: list[StreamCost] = []
    ways: dict[str, Callable[[], Any]] = {}
    for place in options.generate_at:
        for count in options.num_tokens:
            model = create_model(options.name, generate_at=place, num_tokens=count, **frames).eval()
            ways |= {f"{len(costs)} {way}": run for way, run in passes(model, clip).items()}
            costs.append(costs_in_macs(model, clip))
    seconds = quickest(ways, rounds=options.rounds)
    rows = [with_times(cost, seconds, number) for number, cost in enumerate(costs)]
    print(markdown_table(HEADS, [row.cells() for row in rows]))
    if options.out is not None:
        write_costs(options.out, rows, name=options.name, num_threads=options.num_threads)


def with_times(cost: StreamCost, seconds: Mapping[str, float], number: int) -> StreamCost:
    """The same with the CPU time of its two ways."""
    window, step = (seconds[f"{number} {way}"] * 1e3 for way in ("window", "step"))
    return StreamCost(**asdict(cost) | {"window_ms": window, "step_ms": step})


def write_costs(path: Path, rows: Sequence[StreamCost], *, name: str, num_threads: int) -> None:
    """Write the rows as a CSV file, each with the model, the threads, the commit and the machine."""
    names = [field.name for field in fields(StreamCost)]
    write_measured_table(
        path,
        header=[*names, "bound", "ratio"],
        rows=[[*(getattr(row, key) for key in names), row.bound, row.ratio] for row in rows],
        of_all={"model": name, "num_threads": num_threads},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; gives the exit status."""
    return COMMAND.run(measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
