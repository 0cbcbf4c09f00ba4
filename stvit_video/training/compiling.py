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

    The draw of an elastic count lies outside: each count has a graph of its own, which is compiled when the count is
    drawn for the first time, and kept.

    Args:
        model: one of ours; clips must all be of one shape.
        mode: one of `stvit_video.utils.choices.CompileMode`, see `torch.compile`.
        backend: of `torch.compile`.

    Raises:
        ValueError: more elastic counts than this torch keeps graphs.
    """
    num_counts = len(model.elastic or ())
    more: dict[str, Any] = {}
    if num_counts > USUAL_LIMIT:
        if "recompile_limit" not in inspect.signature(torch.compile).parameters:
            raise ValueError(
                f"trainer.compile keeps {USUAL_LIMIT} graphs with torch {torch.__version__}, model.elastic has "
                f"{num_counts} counts; give fewer counts, a newer torch, or trainer.compile=false"
            )
        more["recompile_limit"] = num_counts
    return torch.compile(model.forward_logits, mode=mode, backend=backend, dynamic=False, **more)
