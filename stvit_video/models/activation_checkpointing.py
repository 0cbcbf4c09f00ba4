"""Gradient checkpointing of blocks: their activations are computed a second time instead of being kept."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

RECOMPUTE = "recompute_in_backward"  # attribute of a block
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


def set_recompute(block: nn.Module, *, recompute: bool) -> None:
    """Whether `run_block` keeps nothing of this block for the backward pass but its input."""
    setattr(block, RECOMPUTE, recompute)


def run_block(block: nn.Module, *inputs: Any) -> Tensor:
    """The output of a block; where `set_recompute` is on, at the price of a second forward pass in the backward pass.

    Outputs and gradients are the same to the last bit either way: the second pass draws the same random numbers, and
    batch norms count a batch once.

    Args:
        block: gives a tensor.
        inputs: what it takes.

    Source: Chen et al. 2016 (arXiv:1604.06174), by torch.utils.checkpoint.
    """
    if not getattr(block, RECOMPUTE, False) or not torch.is_grad_enabled():
        return block(*inputs)
    norms = [module for module in block.modules() if isinstance(module, BatchNorm)]
    if not norms:  # a compiled graph takes no contexts of ours
        return checkpoint(block, *inputs, use_reentrant=False)
    contexts: Any = partial(_contexts, norms)
    return checkpoint(block, *inputs, use_reentrant=False, context_fn=contexts)


def _contexts(norms: list[BatchNorm]) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What surrounds the first and the second forward pass of a block with these norms."""
    return nullcontext(), _not_counting(norms)


@contextmanager
def _not_counting(norms: list[BatchNorm]) -> Iterator[None]:
    """Batch norms norm by the batch, as in training, and move their running statistics by nothing.

    Without statistics (`track_running_stats=False`) they would keep fewer tensors than in the first pass, which
    torch's checkpoint refuses.
    """
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    try:
        for norm in norms:
            norm.momentum, norm.num_batches_tracked = 0.0, None
        yield
    finally:
        for norm, (momentum, counted) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, counted
