"""Arrays of lists, arrays and tensors."""

import numpy as np
import pytest
import torch

from stvit_video.utils.plain_arrays import as_array


@pytest.mark.parametrize(
    "values",
    [
        [[1.5, 2.0]],
        np.array([[1.5, 2.0]]),
        torch.tensor([[1.5, 2.0]], requires_grad=True),
        torch.tensor([[1.5, 2.0]], dtype=torch.bfloat16),
        torch.tensor([[1.5, 2.0]], dtype=torch.float16),
    ],
)
def test_values_are_kept(values):
    array = as_array(values)
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [[1.5, 2.0]]


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8])
def test_whole_numbers_keep_their_kind(dtype):
    assert str(as_array(torch.tensor([1, 0], dtype=dtype)).dtype) == str(dtype).removeprefix("torch.")
