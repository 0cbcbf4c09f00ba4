"""From a checkpoint to a bundle: graph, labels, preprocessing, golden answer, speed and card, all of it or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from stvit_video import __version__
from stvit_video.bundles.bundle_description import (
    BUNDLE_VERSION,
    CARD,
    DESCRIPTION,
    GOLDEN,
    LABELS,
    PREPROCESSING,
    SPEED,
    write_json,
)
from stvit_video.bundles.bundle_digests import digests_of
from stvit_video.bundles.bundle_folder import Golden, write_labels
from stvit_video.bundles.bundle_formats import GraphFormat, find_format
from stvit_video.bundles.runtimes import Graph
from stvit_video.evaluation.cost.measure import count_parameters
from stvit_video.exporting.bundle_card import bundle_card
from stvit_video.exporting.bundle_graphs import graph_parts, require_runtime, run_here, step_of
from stvit_video.exporting.bundle_speed import measure_bundle_speed
from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.fitting_sizes import require_whole_patches
from stvit_video.exporting.graph_formats import write_graph
from stvit_video.exporting.parity import TOLERANCE, golden_logits, hold_against
from stvit_video.exporting.run_files import RunFile, find_run_file
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata, task_in
from stvit_video.utils.whole_folders import refuse_used, whole_folder

Quantise = Callable[[ExportedProgram, Any], Any]


@dataclass(frozen=True, kw_only=True)
class _Export:
    """What is exported, and how.

    Attributes:
        trained: the checkpoint, with the settings that it is exported with.
        metadata: of the checkpoint; "preprocessing" is that of the bundle.
        form: of the graphs.
        precision: one of the format's.
        num_tokens: as they were asked for; None = as the checkpoint says.
        streaming: True = two graphs.
        quantise: from the name of a graph to what `write_graph` takes for precision="int8"; else None.
    """

    trained: TrainedModel
    metadata: Mapping[str, Any]
    form: GraphFormat
    precision: str
    num_tokens: int | Sequence[int] | None
    streaming: bool
    quantise: Callable[[str], Quantise] | None

    @property
    def step(self) -> int | None:
        """Frames of a step; None for whole clips."""
        return step_of(self.trained, streaming=self.streaming)


def write_bundle(
    checkpoint: Path,
    *,
    format: str,
    precision: str = "fp32",
    num_tokens: int | Sequence[int] | None = None,
    generate_at: int | None = None,
    views: Mapping[str, Any] | None = None,
    streaming: bool = False,
    out: Path | None = None,
    speed: bool = True,
    quantiser: Callable[[TrainedModel], Callable[[str], Quantise]] | None = None,
) -> Path:
    """Write the bundle of a classifier, and hold its graph against PyTorch before it is put in its place.

    Args:
        checkpoint: a .ckpt file, an exported folder, or the folder of a run.
        format: a name of `bundle_formats.FORMATS`.
        precision: one of the format's.
        num_tokens: semantic tokens, a count or a grid; None = as the checkpoint says.
        generate_at: blocks before they are generated; None likewise.
        views: further arguments for `load_recognizer` by their names: protocol, clips, crops and sizes.
        streaming: True = two graphs, one for each step of frames and one for a window of steps.
        out: the folder to make; None = `bundle_<format>` in the folder of the checkpoint.
        speed: True = measure how quick the graph is, a second or two of CPU time.
        quantiser: for precision="int8": from the checkpoint, then the name of a graph, to what `write_graph` takes as
            `quantise`.

    Returns:
        The folder.

    Raises:
        ValueError: `out` holds files, a precision that the format or this machine lacks, a checkpoint that can't be
            read (CheckpointError), is of another task or can't take a setting, or a graph that is too far off
            (ParityError).
        MissingLibraryError: a library that the format needs is missing.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    form = find_format(format)
    form.check_precision(precision)
    if (precision == "int8") != (quantiser is not None):
        raise ValueError(
            f"precision={precision} came {'with' if quantiser else 'without'} a quantiser, which int8 needs"
        )
    form.check_libraries()
    require_runtime(form, precision=precision)
    given = find_run_file(checkpoint)
    out = given.folder / f"bundle_{format}" if out is None else out
    refuse_used(out)
    metadata = _metadata(given)
    settings = {"num_tokens": num_tokens, "generate_at": generate_at, **(views or {})}
    trained = load_recognizer(given.path, device="cpu", **settings)
    require_whole_patches(trained.model, trained.preprocessing)
    is_as_trained = all(value is None for value in settings.values())
    export = _Export(
        trained=trained,
        metadata={**metadata, "preprocessing": trained.preprocessing.to_dict()},
        form=form,
        precision=precision,
        num_tokens=num_tokens,
        streaming=streaming,
        quantise=None if quantiser is None else quantiser(trained),
    )
    with whole_folder(out) as folder:
        write_labels(folder / LABELS, trained.classes)
        write_json(
            folder / PREPROCESSING,
            {"preprocessing": trained.preprocessing.to_dict(), "protocol": asdict(trained.protocol)},
        )
        _write_rest(folder, export, result=given.result if is_as_trained else None, speed=speed)
    return out


def _metadata(given: RunFile) -> dict[str, Any]:
    """What the checkpoint says of its training, once it is that of a classifier."""
    found = peek_checkpoint(str(given.path)).get(METADATA_KEY)
    if (task := task_in(found)) != "classification":
        raise ValueError(
            f"{given.path} is of task={task}, and a bundle is made of a classifier; format=checkpoint exports it as a "
            "folder to hand on, which predict and evaluate take"
        )
    return check_metadata(found, source=repr(str(given.path)))


def _write_rest(folder: Path, export: _Export, *, result: Mapping[str, Any] | None, speed: bool) -> None:
    """Write graphs, golden answer, speed, card and bundle.json into the folder, which has the labels already."""
    trained = export.trained
    module = ClipGraph(trained.model, trained.preprocessing).eval()
    example = example_frames(trained.preprocessing)
    golden = Golden(frames=example.numpy(), logits=golden_logits(module, example), tolerance=TOLERANCE)
    paths = _write_graphs(folder, export, example)
    opened = partial(run_here, paths, export.form, precision=export.precision, step=export.step)
    graph = opened()
    parity = hold_against(graph, golden, precision=export.precision)
    np.savez(folder / GOLDEN, frames=golden.frames, logits=golden.logits, tolerance=np.float32(parity.tolerance))
    description = _description(export)
    description |= {"graphs": {name: path.name for name, path in paths.items()}, "parity": asdict(parity)}
    measured = None
    if speed and graph is not None:
        measured = measure_bundle_speed(
            lambda threads: cast(Graph, opened(num_threads=threads)), module, golden.frames[:1]
        )
        write_json(folder / SPEED, measured)
    card = bundle_card(
        export.metadata,
        description,
        parity=parity,
        speed=measured,
        result=result,
        num_parameters=count_parameters(trained.model),
        megabytes=sum(folder_bytes(folder, name) for name in paths) / 1e6,
    )
    (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    write_json(folder / DESCRIPTION, {**description, "digests": digests_of(folder)})


def _write_graphs(folder: Path, export: _Export, example: Tensor) -> dict[str, Path]:
    """The paths of the graphs by their names, traced with an example (2, T, H, W, 3) uint8."""
    return {
        name: write_graph(
            part.module,
            part.example,
            folder,
            name,
            format=export.form.name,
            precision=export.precision,
            outputs=part.outputs,
            quantise=None if export.quantise is None else export.quantise(name),
        )
        for name, part in graph_parts(export.trained, example, streaming=export.streaming).items()
    }


def _description(export: _Export) -> dict[str, Any]:
    """bundle.json, without what is known of the graph and the files."""
    trained, num_tokens = export.trained, export.num_tokens
    sizes, grid = trained.preprocessing, trained.model.token_grid
    tokens = None if grid is None else grid.count
    return {
        "bundle": BUNDLE_VERSION,
        "format": export.form.name,
        "precision": export.precision,
        "task": "classification",
        "model": dict(export.metadata["model"]),
        "num_tokens": tokens if num_tokens is None or isinstance(num_tokens, int) else list(num_tokens),
        "generate_at": trained.model.generate_at,
        "frames_per_step": export.step,
        "input": [None, sizes.num_frames, sizes.crop_size, sizes.crop_size, 3],
        "num_classes": len(trained.classes),
        "multi_label": trained.multi_label,
        "versions": {"stvit_video": __version__, "torch": str(torch.__version__), **_versions(export.form)},
    }


def _versions(form: GraphFormat) -> dict[str, str]:
    """Of the libraries that write the format and run it."""
    found = {}
    for module in sorted({*form.libraries, form.runtime} - {"torch"}):
        name = module.partition(".")[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # the runtime, where it is not on this machine
            continue
    return found


def folder_bytes(folder: Path, name: str = "") -> int:
    """Bytes of all files in a folder whose relative path begins with `name`."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path.relative_to(folder).as_posix().startswith(name))
