"""CPU time of our models by torch and by OpenVINO, in float32 and bfloat16, with one thread.

python scripts/compare_openvino.py name=stvit_video_deit_small generate_at=1,2,4
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from stvit_video.models.base import TokenModel
from stvit_video.models.factory import create_model
from stvit_video.models.registry import MODELS
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import MissingLibraryError, load_optional
from stvit_video.utils.value_kinds import one_of, whole, whole_numbers

PRECISIONS = {"fp32": ("f32", None), "bf16": ("bf16", torch.bfloat16)}  # OpenVINO's name, type of torch's autocast
SLOT_MODELS = tuple(name for name in MODELS if name.startswith("stvit_") and not name.startswith("stvit_r_"))
COMMAND = Command(
    prog="python scripts/compare_openvino.py",
    summary="CPU time of our models by torch and by OpenVINO, in float32 and bfloat16, with one thread.",
    settings=(
        Setting(name="name", kind=one_of(SLOT_MODELS), help="a model", default="stvit_video_deit_small"),
        Setting(
            name="generate_at",
            kind=whole_numbers(low=1),
            help="blocks before the tokens are generated, a row each",
            default_words="the model's",
        ),
        Setting(name="num_tokens", kind=whole(low=1), help="semantic tokens", default_words="the model's"),
        Setting(name="num_frames", kind=whole(low=1), help="frames of a clip", default=16),
        Setting(name="image_size", kind=whole(low=1), help="pixels of a view's side", default=224),
        Setting(name="batch_size", kind=whole(low=1), help="inputs of a pass", default=1),
        Setting(name="rounds", kind=whole(low=1), help="turns of each way; the quickest counts", default=5),
    ),
    examples=(
        "python scripts/compare_openvino.py",
        "python scripts/compare_openvino.py name=stvit_video_deit_small generate_at=1,2,4 num_tokens=16",
    ),
)
Pass = Callable[[], Any]


def quickest(ways: Mapping[str, Pass], *, rounds: int) -> dict[str, float]:
    """CPU seconds of the quickest pass of each way; they take turns, and the first turn is not counted."""
    seconds = {way: float("inf") for way in ways}
    for turn in range(rounds + 1):
        for way, run in ways.items():
            start = time.process_time()
            run()
            if turn:
                seconds[way] = min(seconds[way], time.process_time() - start)
    return seconds


def torch_pass(model: TokenModel, clip: torch.Tensor, dtype: torch.dtype | None) -> Pass:
    """A forward pass, under autocast to `dtype` if it is given."""

    def run() -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            return model(clip)

    return run


def openvino_passes(openvino: Any, model: TokenModel, clip: torch.Tensor) -> dict[str, Pass]:
    """A forward pass by OpenVINO in each precision, with one thread."""
    with torch.no_grad():
        graph = openvino.convert_model(torch.export.export(model, (clip,)))
    passes: dict[str, Pass] = {}
    for precision, (hint, _) in PRECISIONS.items():
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": hint}
        request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()
        passes[f"openvino {precision}"] = lambda request=request: request.infer([clip.numpy()])  # type: ignore[misc]
    return passes


def row(label: str, seconds: Mapping[str, float]) -> str:
    """A line of the table: milliseconds by torch and by OpenVINO and their ratio, for each precision."""
    cells = [label]
    for precision in PRECISIONS:
        ours, theirs = seconds[f"torch {precision}"], seconds[f"openvino {precision}"]
        cells += [f"{ours * 1e3:.1f}", f"{theirs * 1e3:.1f}", f"{ours / theirs:.2f}"]
    return f"| {' | '.join(cells)} |"


def compare(options: Given) -> None:
    """Print the table, a line for each place of generation.

    Raises:
        MissingLibraryError: OpenVINO is not installed.
        ValueError: a setting that the model refuses.
    """
    with without_reports():
        openvino = load_optional("openvino", needed_for="the comparison", install="pip install openvino")
    torch.set_num_threads(1)
    video, size = "_video_" in options.name, options.image_size
    clip = torch.randn(options.batch_size, 3, *((options.num_frames,) if video else ()), size, size)
    frames = {"num_frames": options.num_frames} if video else {}
    heads = [f"{precision}: {head}" for precision in PRECISIONS for head in ("torch ms", "OpenVINO ms", "ratio")]
    print(f"| after | {' | '.join(heads)} |\n|---|{'--:|' * len(heads)}")
    for place in options.generate_at or (None,):
        chosen = {"generate_at": place, "num_tokens": options.num_tokens, "image_size": size, **frames}
        model = create_model(options.name, **chosen).eval()
        ways = {f"torch {name}": torch_pass(model, clip, dtype) for name, (_, dtype) in PRECISIONS.items()}
        seconds = quickest({**ways, **openvino_passes(openvino, model, clip)}, rounds=options.rounds)
        print(row(str(model.generate_at), seconds), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; gives the exit status."""
    return COMMAND.run(compare, arguments, failures=(MissingLibraryError,))


if __name__ == "__main__":
    sys.exit(main())
