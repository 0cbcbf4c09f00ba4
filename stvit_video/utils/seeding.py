"""Random numbers that depend on named integers alone."""

import numpy as np
import torch


def seeded_generator(*numbers: int) -> torch.Generator:
    """A generator whose state depends on all of `numbers`, e.g. (seed, epoch, index), and on nothing else.

    Raises:
        ValueError: a number is negative.
    """
    if min(numbers) < 0:
        raise ValueError(f"a seed is made of {numbers}; use numbers from 0 on")
    state = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) >> 1)
