"""A graph held against PyTorch: the golden answer of a bundle, and how far off its runtime may be."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stvit_video.bundles.bundle_folder import Golden
from stvit_video.bundles.runtimes import Graph

TOLERANCE = 1e-3  # of a logit in fp32
SLACK = 2.0  # of what was measured in less, as the sums of another processor run in another order


class ParityError(ValueError):
    """A graph that does not answer as PyTorch does."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How far a graph is off.

    Attributes:
        runtime: what ran it, such as "onnxruntime 1.32.0"; "" = it could not be run on this machine.
        difference: largest absolute difference of a logit; None = not run.
        tolerance: that is allowed from now on.
    """

    runtime: str
    difference: float | None
    tolerance: float

    def words(self) -> str:
        """In a sentence."""
        if self.difference is None:
            return f"converted, not run: its runtime is not on this machine; a logit may be off by {self.tolerance:.3g}"
        allowed = f"allowed is {self.tolerance:.3g}"
        return f"{self.runtime} is off by {self.difference:.2g} of PyTorch's logits in fp32, {allowed}"


@torch.inference_mode()
def golden_logits(module: nn.Module, frames: Tensor) -> np.ndarray:
    """What PyTorch answers in fp32.

    Args:
        module: such as a `ClipGraph`, in eval mode.
        frames: (B, T, H, W, 3) uint8.

    Returns:
        (B, num_classes) float32.

    Raises:
        ValueError: a logit is NaN or infinite.
    """
    logits = module(frames).float().numpy()
    if not np.isfinite(logits).all():
        raise ValueError(
            "the model gives NaN or infinite logits for a clip; its weights are broken, take another checkpoint"
        )
    return logits


def hold_against(graph: Graph | None, golden: Golden, *, precision: str) -> Parity:
    """Run a graph on the golden input, in its own batch and in two others, and measure how far it is off.

    In fp32 the tolerance is `TOLERANCE`; in less it is `SLACK` times what is measured, and at least that.

    Args:
        graph: on its runtime; None = not on this machine.
        golden: of two clips or more, with the tolerance of fp32.
        precision: of the graph.

    Raises:
        ParityError: a graph in fp32 is further off than the tolerance, or one in less gives NaN.
    """
    if graph is None:
        return Parity(runtime="", difference=None, tolerance=golden.tolerance)
    last = len(golden.frames) - 1
    difference = max(
        _difference(graph, golden, rows) for rows in ([*range(last + 1)], [last], [last, *range(last + 1)])
    )
    tolerance = golden.tolerance if precision == "fp32" else max(golden.tolerance, SLACK * difference)
    if not difference <= tolerance or not np.isfinite(difference):
        raise ParityError(
            f"golden answer not met: {graph.runtime} is off by {difference:.3g}, allowed is {tolerance:.3g} in "
            f"{precision}; no bundle is written: take another format or precision"
        )
    return Parity(runtime=graph.runtime, difference=difference, tolerance=tolerance)


def _difference(graph: Graph, golden: Golden, rows: list[int]) -> float:
    part = Golden(frames=golden.frames[rows], logits=golden.logits[rows], tolerance=golden.tolerance)
    return part.largest_difference(graph(part.frames))
