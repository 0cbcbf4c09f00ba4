"""Graphs of other runtimes without their libraries: pickled modules in their place."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stvit_video.bundles.bundle_formats import GraphFormat
from stvit_video.bundles.runtimes import Graph
from stvit_video.model_benchmark import row_graph


def run_graphs_in_torch(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let rows of the benchmark write and open modules of torch, whatever their format; the settings are noted."""
    asked: list[dict[str, Any]] = []

    def write(module: nn.Module, example: torch.Tensor, folder: Path, name: str, **settings: Any) -> None:
        assert len(example) == 2
        asked.append(settings)
        torch.save(module, folder / f"{name}.pickled")

    def open_(path: Path, **settings: Any) -> Graph:
        asked.append(settings)
        module = torch.load(path.with_suffix(".pickled"), weights_only=False)

        @torch.inference_mode()
        def graph(items: np.ndarray) -> np.ndarray:
            return module(torch.from_numpy(items)).numpy()

        return graph

    monkeypatch.setattr(row_graph, "write_graph", write)
    monkeypatch.setattr(row_graph, "open_graph", open_)
    monkeypatch.setattr(GraphFormat, "check_libraries", lambda *arguments: None)
    return asked
