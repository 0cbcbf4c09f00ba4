"""Which graphs a bundle has: one for whole clips, or two for streams; and how they are run where they were made."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stvit_video.bundles.bundle_description import STREAMING, WHOLE, BundleError
from stvit_video.bundles.bundle_formats import GraphFormat
from stvit_video.bundles.runtimes import Graph, require_precision
from stvit_video.bundles.stream_pair import open_clip_graph
from stvit_video.exporting.clip_graph import ClipGraph
from stvit_video.exporting.dense_graph import GraphPart
from stvit_video.exporting.stream_graphs import DecideGraph, EncodeGraph
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.streaming.model_halves import frames_per_step
from stvit_video.utils.optional import MissingLibraryError

RUN_ELSEWHERE = ("coreml", "executorch")  # graphs are written where they can't run, too


def graph_parts(trained: TrainedModel, frames: Tensor, *, streaming: bool) -> dict[str, GraphPart]:
    """The graphs of a classifier by their names.

    Args:
        trained: the checkpoint.
        frames: (2, T, H, W, 3) uint8, an example.
        streaming: True = "encode" and "decide"; False = "clip".

    Raises:
        ValueError: a model that can't be computed step by step.
    """
    if not streaming:
        return {WHOLE[0]: GraphPart(ClipGraph(trained.model, trained.preprocessing).eval(), frames, ("logits",))}
    encode = EncodeGraph(trained.model, trained.preprocessing).eval()
    decide = DecideGraph(trained.model, trained.preprocessing).eval()
    steps = frames.split(frames_per_step(trained.model), dim=1)
    with torch.inference_mode():
        tokens = torch.stack([encode(step) for step in steps], dim=1)  # (2, T, *grid, C)
    return {
        STREAMING[0]: GraphPart(encode, steps[0].contiguous(), ("tokens",)),
        STREAMING[1]: GraphPart(decide, tokens.clone(), ("logits",)),
    }


def inputs_of(trained: TrainedModel, clips: Sequence[np.ndarray], name: str) -> list[np.ndarray]:
    """What one of the graphs sees of clips.

    Args:
        trained: the checkpoint.
        clips: (1, T, H, W, 3) uint8 each.
        name: of the graph, "clip", "encode" or "decide".

    Returns:
        The clips, their steps (1, `frames_per_step`, H, W, 3), or the tokens of their steps (1, T, *grid, C) float32.
    """
    if name == WHOLE[0]:
        return list(clips)
    split = [torch.from_numpy(clip).split(frames_per_step(trained.model), dim=1) for clip in clips]
    if name == STREAMING[0]:
        return [step.contiguous().numpy() for steps in split for step in steps]
    encode = EncodeGraph(trained.model, trained.preprocessing).eval()
    with torch.inference_mode():
        return [torch.stack([encode(step) for step in steps], dim=1).numpy() for steps in split]


def step_of(trained: TrainedModel, *, streaming: bool) -> int | None:
    """Frames of a step of a streaming bundle; None for whole clips."""
    return frames_per_step(trained.model) if streaming else None


def require_runtime(form: GraphFormat, *, precision: str) -> None:
    """Raise where the runtime of a format is missing, unless its graphs can be written without.

    Raises:
        ValueError: this machine can't run the precision.
        MissingLibraryError: it is missing.
    """
    if form.name not in RUN_ELSEWHERE:
        form.check_libraries((form.runtime,))
        require_precision(form.name, precision)


def run_here(
    paths: Mapping[str, Path], form: GraphFormat, *, precision: str, step: int | None, num_threads: int | None = None
) -> Graph | None:
    """What answers to whole clips, on its runtime; None where there is none for this system.

    Args:
        paths: of the graphs by their names.
        form: their format.
        precision: of the graphs.
        step: frames of a step; None = whole clips.
        num_threads: CPU threads; None = as many as the runtime takes.

    Raises:
        ValueError: the runtime can't read a graph, or not compute in its precision here.
        MissingLibraryError: the runtime is not installed.
    """
    if form.name == "coreml" and sys.platform != "darwin":
        return None
    try:
        return open_clip_graph(
            paths, format=form.name, precision=precision, frames_per_step=step, num_threads=num_threads
        )
    except BundleError as error:  # whose path will be gone
        folder = next(iter(paths.values())).parent
        raise ValueError(str(error).replace(f"{folder}/", "")) from error
    except MissingLibraryError:
        if form.name in RUN_ELSEWHERE:
            return None
        raise
