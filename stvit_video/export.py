"""`python -m stvit_video.export ckpt_path=RUN format=onnx`: a checkpoint as a bundle that runs without torch.

A bundle is a folder with the graph of a classifier, its labels, preprocessing, an input with PyTorch's answer, its
speed and a card; predict and `stvit_video.load` take it. format=checkpoint makes a folder of weights to hand on.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from stvit_video.bundles.bundle_description import DESCRIPTION, SPEED, read_json
from stvit_video.bundles.bundle_formats import FORMATS, Precision
from stvit_video.exporting.bundle_graphs import inputs_of
from stvit_video.exporting.bundle_speed import speed_lines
from stvit_video.exporting.calibration_clips import calibration_clips, calibration_records
from stvit_video.exporting.export_checkpoint import export_checkpoint
from stvit_video.exporting.int8 import PARTS, quantiser_of
from stvit_video.exporting.parity import Parity, ParityError
from stvit_video.exporting.run_files import find_run_file
from stvit_video.exporting.write_bundle import Quantise, folder_bytes, write_bundle
from stvit_video.inference.shared_settings import CKPT_PATH, PROTOCOL, SIZES, TOKENS, VIEWS, token_choices, view_choices
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.predictions.stopping import sigterm_ends
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.value_kinds import PATH, YES_NO, one_of, several, whole

CHECKPOINT = "checkpoint"
NONE = "none"
OF_INT8 = ("calibration", "calibration_clips", "keep")
COMMAND = Command(
    prog="python -m stvit_video.export",
    summary="A checkpoint as a bundle that runs without torch, or as a folder of weights to hand on.",
    settings=(
        replace(CKPT_PATH, help="checkpoint of stvit_video.train, the folder of its run, or an exported folder"),
        Setting(
            name="format",
            kind=one_of((*FORMATS, CHECKPOINT)),
            help="of the graph; checkpoint = weights, labels and a model card",
            is_needed=True,
        ),
        Setting(name="precision", kind=one_of(get_args(Precision)), help="of the graph", default="fp32"),
        Setting(
            name="out",
            kind=PATH,
            help="folder to make",
            default_words="RUN/bundle_<format>; of format=checkpoint RUN/export",
        ),
        *TOKENS,
        PROTOCOL,
        *VIEWS,
        *SIZES,
        Setting(
            name="streaming",
            kind=YES_NO,
            help="two graphs, one for each step of frames and one for a window of steps",
            default=False,
        ),
        Setting(name="speed", kind=YES_NO, help="measure how quick the graph is beside PyTorch", default=True),
        Setting(
            name="calibration",
            kind=PATH,
            help="int8: videos to measure ranges on, a folder or a list",
            default_words="the training's",
        ),
        Setting(
            name="calibration_clips",
            kind=whole(low=1),
            help="int8: how many of these videos, a clip of each",
            default=100,
        ),
        Setting(
            name="keep",
            kind=several(one_of((*PARTS, NONE))),
            help="int8: parts that stay in higher precision",
            default=PARTS,
        ),
    ),
    examples=(
        "python -m stvit_video.export ckpt_path=outputs/k400 format=onnx",
        "python -m stvit_video.export ckpt_path=run/best.ckpt format=openvino precision=bf16 num_tokens=16",
        "python -m stvit_video.export ckpt_path=outputs/k400 format=openvino precision=int8 calibration=my_videos",
        "python -m stvit_video.export ckpt_path=outputs/k400 format=checkpoint out=k400_small",
    ),
    notes="Exit status: 0 it is written, 1 a library is missing or the graph is too far off, 2 a setting is wrong, "
    "143 SIGTERM; what was begun is removed.",
)


@sigterm_ends()
def export(given: Given) -> None:
    """Export, and print what was written and how it compares with PyTorch.

    Raises:
        ValueError: what `write_bundle` and `export_checkpoint` raise, or a setting that the format can't take.
        MissingLibraryError: a library that the format needs is missing.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    if given.format == CHECKPOINT:
        _refuse(given, {"ckpt_path", "format", "out"}, f"of format={CHECKPOINT}, which takes the checkpoint as it is")
        out = export_checkpoint(find_run_file(given.ckpt_path), out=given.out)
        print(f"{', '.join(sorted(path.name for path in out.iterdir()))} are in {out}")
        return
    is_int8 = given.precision == "int8"
    if not is_int8:
        others = {setting.name for setting in COMMAND.settings} - set(OF_INT8)
        _refuse(given, others, f"of precision={given.precision}, but of int8")
    out = write_bundle(
        given.ckpt_path,
        format=given.format,
        precision=given.precision,
        **token_choices(given),
        views=view_choices(given),
        streaming=given.streaming,
        out=given.out,
        speed=given.speed,
        quantiser=(lambda trained: _quantiser(trained, given)) if is_int8 else None,
    )
    print("\n".join(told_lines(out)))


def told_lines(out: Path) -> list[str]:
    """What is printed of a bundle that was written: files, sizes, difference and speed."""
    said: dict[str, Any] = read_json(out / DESCRIPTION)
    files = ", ".join(sorted(path.name for path in out.iterdir()))
    graphs = sum(folder_bytes(out, name) for name in said["graphs"])
    lines = [
        f"{files} are in {out}",
        f"{said['model']['name']} as {said['format']} in {said['precision']}: graph {graphs / 1e6:.2f} MB, all "
        f"{folder_bytes(out) / 1e6:.2f} MB",
        Parity(**said["parity"]).words(),
    ]
    return lines + (speed_lines(read_json(out / SPEED)) if (out / SPEED).is_file() else [])


def _quantiser(trained: TrainedModel, given: Given) -> Callable[[str], Quantise]:
    """What makes a graph of this name in 8 bits, calibrated on the videos that are given or were trained on."""
    records = calibration_records(trained, given.calibration)
    clips, num_failed = calibration_clips(trained, records, num_clips=given.calibration_clips)
    failed = f", {num_failed} more could not be read" if num_failed else ""
    print(f"8 bits are calibrated on {len(clips)} of {len(records)} video{'s' * (len(records) != 1)}{failed}")
    keep = [part for part in given.keep if part != NONE]
    return lambda name: quantiser_of(trained.model, inputs_of(trained, clips, name), keep=keep)


def _refuse(given: Given, allowed: set[str], why: str) -> None:
    """Raise where a setting is given that has no effect."""
    if odd := sorted(given.named - allowed):
        raise ValueError(f"{odd[0]} is no setting {why}; leave it out")


def main(arguments: Sequence[str] | None = None) -> int:
    """Export; gives the exit status."""
    return COMMAND.run(export, arguments, failures=(MissingLibraryError, ParityError))


if __name__ == "__main__":
    sys.exit(main())
