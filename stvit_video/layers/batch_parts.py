"""Large batches in parts: without gradients, on a CPU, wide intermediate values need not exist for the whole batch."""

from collections.abc import Callable

import torch
from torch import Tensor

# Above 32 MiB the C library's allocator takes memory from the system anew at every call, which then clears it page by
# page; far below, the matrix products of a part are too small to be efficient.
PART_BYTES = 12 * 2**20


def in_parts(function: Callable[[Tensor], Tensor], x: Tensor, *, width: int, group: int = 1) -> Tensor:
    """`function(x)`, in inference on a CPU computed in parts of the first axis where its inner values are large.

    With gradients, which need the inner values anyway, on other devices, and while a graph is recorded for compiling
    or export, it is one call.

    Args:
        function: (B, ..., C) -> (B, ..., C'), each row of the first axis by itself, or each group of them.
        x: (B, ..., C).
        width: channels of the widest value inside.
        group: rows of the first axis that have to stay together; B is a multiple of it.

    Returns:
        (B, ..., C').
    """
    if x.device.type != "cpu" or torch.is_grad_enabled() or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return function(x)
    group_bytes = group * x[:1].numel() // x.shape[-1] * width * x.element_size()
    rows = group * max(1, PART_BYTES // max(1, group_bytes))
    if rows >= len(x):
        return function(x)
    return torch.cat([function(part) for part in x.split(rows)])
