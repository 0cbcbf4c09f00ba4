"""Results in order, a few ahead and not more, errors where their results would be."""

import threading

import pytest

from stvit_video.budgets.read_ahead import read_ahead


@pytest.mark.parametrize("num_threads", [0, 1, 3])
def test_results_come_in_order(num_threads):
    assert list(read_ahead(lambda x: x * x, range(20), num_threads=num_threads)) == [x * x for x in range(20)]


def test_no_more_than_the_threads_are_ahead():
    taken = []

    def items():
        for number in range(50):
            taken.append(number)
            yield number

    results = read_ahead(lambda x: x, items(), num_threads=3)
    for number in range(10):
        assert next(results) == number
        assert len(taken) == number + 4
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]


@pytest.mark.parametrize("num_threads", [0, 2])
def test_an_error_comes_behind_the_results_before_it(num_threads):
    results = read_ahead(lambda x: 1 // (3 - x), range(9), num_threads=num_threads)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
