"""`torch.compile` of the training's forward pass: one graph for each count of tokens, and plain checkpoints."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stvit_video.models.base import TokenModel

Backend = str | Callable[..., Any]
USUAL_LIMIT = 8  # graphs of one function that torch keeps


def compiled_logits(
    model: TokenModel, *, mode: str = "default", backend: Backend = "inductor"
) -> Callable[[Tensor], tuple[Tensor, ...]]:
    """`model.forward_logits`, compiled; the model and the names of its weights stay as they are.

    The draw of an elastic count and place lies outside: each pair has a graph of its own, which is compiled when it is
    drawn for the first time, and kept.

    Args:
        model: one of ours; clips must all be of one shape.
        mode: one of `stvit_video.utils.choices.CompileMode`, see `torch.compile`.
        backend: of `torch.compile`.

    Raises:
        ValueError: more pairs of count and place than this torch keeps graphs.
    """
    num_places = len(model.places.drawn) if model.places else 0
    num_graphs = max(len(model.elastic or ()), 1) * max(num_places, 1)
    more: dict[str, Any] = {}
    if num_graphs > USUAL_LIMIT:
        if "recompile_limit" not in inspect.signature(torch.compile).parameters:
            raise ValueError(
                f"trainer.compile keeps {USUAL_LIMIT} graphs with torch {torch.__version__}; the counts of elastic "
                f"and the places of elastic_generate_at need {num_graphs}; give fewer, a newer torch, or "
                f"trainer.compile=false"
            )
        more["recompile_limit"] = num_graphs
    return torch.compile(model.forward_logits, mode=mode, backend=backend, dynamic=False, **more)
