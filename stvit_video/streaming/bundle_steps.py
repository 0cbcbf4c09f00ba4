"""A streaming bundle, computed step by step without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from stvit_video.bundles.bundle_description import STREAMING, BundleError
from stvit_video.bundles.bundle_folder import Bundle, read_bundle
from stvit_video.bundles.bundle_recognizer import require_golden_answer
from stvit_video.bundles.stream_pair import StreamPair, open_clip_graph
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.numpy_resize import resize_short_side_numpy
from stvit_video.layers.numbers import whole_number
from stvit_video.streaming.step_models import BYTES, not_frames, require_bytes

FLOATS = "floats are for a model in torch, as the graphs of a bundle normalise bytes themselves"


class BundleSteps:
    """A `StepModel` of the graphs "encode" and "decide" of a bundle; frames are (n, H, W, 3) uint8.

    Args:
        bundle: what the folder says.
        pair: its graphs.
    """

    def __init__(self, bundle: Bundle, pair: StreamPair) -> None:
        self.bundle, self.pair = bundle, pair
        self.classes, self.multi_label, self.preprocessing = bundle.labels, bundle.multi_label, bundle.preprocessing
        self.frames_per_step = pair.frames_per_step
        self.corners = find_protocol(bundle.protocol["name"]).corners

    @property
    def num_frames(self) -> int:
        """See `StepModel`."""
        return self.preprocessing.num_frames

    @property
    def generate_at(self) -> int | None:
        """See `StepModel`."""
        return self.bundle.generate_at

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """See `StepModel`; a bundle has one number."""
        self._refuse(f"num_tokens={num_tokens!r}")

    def set_generate_at(self, place: int) -> None:
        """See `StepModel`; a bundle has one place."""
        self._refuse(f"generate_at={place!r}")

    def checked(self, frames: Any) -> np.ndarray:
        """See `StepModel`; (n, H, W, 3) uint8 stays."""
        if not hasattr(frames, "__array__"):
            raise not_frames(frames, f"{BYTES}, {FLOATS}")
        array = np.asarray(frames)
        require_bytes(array, otherwise=FLOATS)
        return array

    def preprocess(self, frames: np.ndarray) -> np.ndarray:
        """Frames (n, H, W, 3) uint8 of any size -> (n, H, W, 3) uint8 of the graph's."""
        sizes = self.preprocessing
        resized = resize_short_side_numpy(frames, short_side=sizes.short_side, interpolation=sizes.interpolation)
        ((top, left),) = self.corners(*resized.shape[1:3], crop_size=sizes.crop_size, num_crops=1)
        return resized[:, top : top + sizes.crop_size, left : left + sizes.crop_size]

    def encode(self, frames: np.ndarray) -> np.ndarray:
        """Frames (S * frames_per_step, H, W, 3) uint8 -> tokens (S, *grid, C), a call of the graph for each step."""
        steps = frames.reshape(-1, 1, self.frames_per_step, *frames.shape[1:])  # (S, 1, frames_per_step, H, W, 3)
        return np.concatenate([self.pair.encode(step) for step in steps])

    def decide(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens (T, *grid, C) -> logits (num_classes,) float32."""
        return np.asarray(self.pair.decide(tokens[None])[0], dtype=np.float32)

    def _refuse(self, setting: str) -> NoReturn:
        raise ValueError(
            f"{setting} can't be set for the bundle {self.bundle.folder}, whose graphs are fixed; export again with "
            f"{setting} and streaming=true"
        )


def load_bundle_steps(folder: str | Path, *, num_threads: int | None = None, check: bool = True) -> BundleSteps:
    """Load a bundle that `stvit_video.export` wrote with streaming=true.

    Args:
        folder: with bundle.json in it.
        num_threads: CPU threads that run the graphs; None = as many as the runtime takes.
        check: whether the graphs answer the bundle's golden input first.

    Raises:
        BundleError: the folder is no bundle, is damaged or for whole clips, or the golden answer is not met.
        MissingLibraryError: the runtime of the graphs is not installed.
        ValueError: `num_threads` is out of range.
    """
    if num_threads is not None:
        whole_number("num_threads", num_threads)
    bundle = read_bundle(folder)
    if sorted(bundle.graph_paths) != sorted(STREAMING):
        raise BundleError(
            f"the bundle {folder} labels whole videos and has no graphs for a step of frames; export again with "
            "streaming=true for a stream, or give it to stvit_video.load"
        )
    graph = open_clip_graph(
        bundle.graph_paths,
        format=bundle.format,
        precision=bundle.precision,
        frames_per_step=bundle.frames_per_step,
        num_threads=num_threads,
    )
    assert isinstance(graph, StreamPair)
    if check:
        require_golden_answer(bundle, graph)
    return BundleSteps(bundle, graph)
