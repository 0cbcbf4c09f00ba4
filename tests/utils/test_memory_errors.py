import pytest
import torch

from stvit_video.utils.memory_errors import is_short_of_memory


@pytest.mark.parametrize(
    ("error", "is_short"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory: 9"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("could not create a memory object"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_are_of_memory(error, is_short):
    assert is_short_of_memory(error) is is_short


def test_the_text_of_torch_itself_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_short_of_memory(caught.value)
