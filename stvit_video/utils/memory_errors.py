"""Whether an error says that memory could not be had, whoever says it."""

import torch

SHORT = (  # torch's allocators, oneDNN and the C++ library, in lower case
    *("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory"),
    *("could not create a memory", "bad_alloc"),
)


def is_short_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had: of a GPU, of torch's allocator for CPUs, or of Python."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in SHORT)
