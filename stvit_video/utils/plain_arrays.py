"""numpy arrays of whatever holds numbers: lists, arrays, and tensors on any device."""

from typing import Any

import numpy as np

__all__ = ["as_array"]


def as_array(values: Any) -> np.ndarray:
    """The values as a numpy array in main memory; bfloat16, which numpy lacks, becomes float32.

    Args:
        values: a list, an array, or a torch tensor; the latter may be on a GPU and need gradients.
    """
    if hasattr(values, "detach"):  # a tensor, told without loading torch
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    return np.asarray(values)
