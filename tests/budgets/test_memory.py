"""Work that does not fit into memory is halved, until not even one item fits."""

import pytest
import torch

from stvit_video.budgets.memory import NoMemoryError, in_halves

TEXT = "[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"


def limited(limit, sizes):
    """Doubles what it is given, of at most `limit` items."""

    def work(items):
        sizes.append(len(items))
        if len(items) > limit:
            raise RuntimeError(TEXT)
        return 2 * items

    return work


@pytest.mark.parametrize(("limit", "at_once", "fitted"), [(16, 16, 16), (5, 16, 3), (1, 7, 1), (3, 3, 3)])
def test_results_are_those_of_one_go(limit, at_once, fitted):
    items, sizes = torch.arange(13), []
    found, left = in_halves(limited(limit, sizes), items, at_once=at_once)
    assert torch.equal(found, 2 * items)
    assert left == fitted
    assert max(size for size in sizes if size <= limit) == min(fitted, 13)


def test_one_item_that_does_not_fit_is_an_error():
    with pytest.raises(NoMemoryError, match="one view does not fit"):
        in_halves(limited(0, []), torch.arange(3), at_once=2)


def test_other_errors_pass_through():
    def work(items):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        in_halves(work, torch.arange(3), at_once=2)
