"""The exported graph of a row: written in one process, with the answer that PyTorch gives, and opened in others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stvit_video.bundles.bundle_description import BundleError
from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.bundles.runtimes import Graph, open_graph
from stvit_video.exporting.graph_formats import write_graph
from stvit_video.exporting.int8 import quantiser_of
from stvit_video.model_benchmark.model_row import IN_CHANNELS, ModelRow
from stvit_video.model_benchmark.row_model import build_row
from stvit_video.model_benchmark.row_timing import random_items

GRAPH, ANSWER = "model", "answer.npz"  # names of the files, without the ending that the format adds
CALIBRATION_ITEMS = 8  # random ones: ranges change the logits of a graph in 8 bits, not its speed


class LogitsGraph(nn.Module):
    """What is exported: the model of a row for what eager rows take, with logits in float32.

    Args:
        model: from normalised clips (B, C, T, H, W), or images (B, C, H, W), to logits (B, num_classes).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, items: Tensor) -> Tensor:
        """(B, C, T, H, W) or (B, C, H, W) -> (B, num_classes)."""
        logits: Tensor = self.model(items)
        return logits.float()


def write_row_graph(row: ModelRow, input_size: tuple[int, ...], folder: Path, *, format: str, precision: str) -> None:
    """Export the model of a row, and keep what PyTorch in fp32 answers for one random input.

    Args:
        row: which model.
        input_size: (T, H, W) or (H, W).
        folder: for the files; it exists.
        format: "onnx" or "openvino".
        precision: one of the format's.

    Raises:
        MissingLibraryError: a library of the format or of the row is missing.
        ValueError: a model that the format can't take, or a peer in 8 bits.
    """
    if precision == "int8" and not row.is_ours:
        raise ValueError(f"precision=int8 is for models of this package alone, and {row.label} is none; give fp32")
    FORMATS[format].check_libraries()  # before the model is built
    size = (IN_CHANNELS, *input_size)
    graph = LogitsGraph(build_row(row, input_size)).eval()
    write_graph(
        graph,
        random_items(2, size),
        folder,
        GRAPH,
        format=format,
        precision=precision,
        keeps_norms=row.keeps_norms,
        quantise=_quantiser(graph, size) if precision == "int8" else None,
    )
    items = random_items(1, size)
    with torch.inference_mode():
        np.savez(folder / ANSWER, items=items.numpy(), logits=graph(items).numpy())


def open_row_graph(folder: Path, *, format: str, precision: str, num_threads: int) -> Graph:
    """Open what `write_row_graph` wrote.

    Raises:
        MissingLibraryError: the runtime is not installed.
        ValueError: this processor does not compute in that precision, or the runtime can't read the graph.
    """
    path = folder / f"{GRAPH}{FORMATS[format].ending}"
    try:
        return open_graph(path, format=format, precision=precision, num_threads=num_threads)
    except BundleError as error:  # the path is of no use: the folder will be gone
        raise ValueError(str(error).replace(str(path), "the exported model")) from error


def logit_difference(graph: Graph, folder: Path) -> float:
    """The largest difference to PyTorch's logits in fp32, as a share of the largest of these, by absolute value."""
    with np.load(folder / ANSWER) as answer:
        items, logits = answer["items"], answer["logits"]
    return float(np.abs(graph(items) - logits).max() / np.abs(logits).max())


def _quantiser(graph: LogitsGraph, size: tuple[int, ...]) -> Callable[[Any, Any], Any]:
    clips = [random_items(1, size, seed=seed).numpy() for seed in range(CALIBRATION_ITEMS)]
    return quantiser_of(graph.model, clips)  # type: ignore[arg-type]
