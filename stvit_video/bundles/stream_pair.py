"""The two graphs of a streaming bundle as one: steps of frames become tokens, and a window of tokens becomes logits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stvit_video.bundles.bundle_description import STREAMING
from stvit_video.bundles.runtimes import Graph, open_graph


class StreamPair:
    """A `Graph` of whole clips that is computed step by step.

    Args:
        encode: a step of frames (B, `frames_per_step`, H, W, 3) uint8 -> its tokens (B, *grid, C) float32.
        decide: tokens of the steps of a clip in order (B, T, *grid, C) -> logits (B, num_classes) float32.
        frames_per_step: frames whose tokens are computed together.
    """

    def __init__(self, encode: Graph, decide: Graph, *, frames_per_step: int) -> None:
        self.encode, self.decide, self.frames_per_step = encode, decide, frames_per_step
        self.runtime = decide.runtime

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `Graph`."""
        starts = range(0, frames.shape[1], self.frames_per_step)
        steps = [self.encode(frames[:, start : start + self.frames_per_step]) for start in starts]
        return self.decide(np.stack(steps, axis=1))  # (B, T, *grid, C) -> (B, num_classes)


def open_clip_graph(
    paths: Mapping[str, Path],
    *,
    format: str,
    precision: str,
    frames_per_step: int | None = None,
    num_threads: int | None = None,
) -> Graph:
    """Open what answers to whole clips: the graph "clip", or "encode" and "decide" as one.

    Args:
        paths: of the graphs by their names, as `Bundle.graph_paths`.
        format, precision, num_threads: see `open_graph`.
        frames_per_step: of a streaming bundle.

    Raises:
        MissingLibraryError, BundleError, ValueError: as `open_graph`.
    """

    def opened(name: str) -> Graph:
        return open_graph(paths[name], format=format, precision=precision, num_threads=num_threads)

    if frames_per_step is None:
        return opened("clip")
    encode, decide = (opened(name) for name in STREAMING)
    return StreamPair(encode, decide, frames_per_step=frames_per_step)
