import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stvit_video.layers.windows import (
    check_key_window,
    crop_grid,
    in_pieces,
    key_window_starts,
    num_windows,
    overlapping_windows,
    pad_grid,
    padded_sizes,
    partition_windows,
    reverse_windows,
    shift_grid,
)

axes = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=2, max_size=3)


def slow_partition(x, window):
    grid = x.shape[1:-1]
    ranges = [range(0, g, w) for g, w in zip(grid, window, strict=True)]
    cut = [
        x[(b, *[slice(s, s + w) for s, w in zip(starts, window, strict=True)])]
        for b in range(x.shape[0])
        for starts in itertools.product(*ranges)
    ]
    return torch.stack(cut)


@settings(deadline=None)
@given(axes)
def test_partition_equals_slow_loop_and_reverse_undoes_it(numbers_and_sizes):
    window = tuple(w for _, w in numbers_and_sizes)
    grid = tuple(n * w for n, w in numbers_and_sizes)
    x = torch.randn(2, *grid, 3)
    windows = partition_windows(x, window)
    assert windows.shape[0] == 2 * num_windows(grid, window)
    torch.testing.assert_close(windows, slow_partition(x, window))
    torch.testing.assert_close(reverse_windows(windows, grid), x)


def test_shift_moves_cells_to_lower_positions_and_back():
    x = torch.randn(2, 3, 5, 7)
    shifted = shift_grid(x, (1, 2))
    torch.testing.assert_close(shifted[:, 0, 0], x[:, 1, 2])
    torch.testing.assert_close(shift_grid(shifted, (-1, -2)), x)
    assert shift_grid(x, (0, 0)) is x


def test_key_windows_of_the_released_model():
    assert key_window_starts(14, window=7, key_window=10) == (0, 4)
    assert key_window_starts(28, window=7, key_window=10) == (0, 6, 13, 18)


@settings(deadline=None)
@given(axes, st.integers(0, 3))
def test_key_windows_contain_their_windows(numbers_and_sizes, extra):
    for number, size in numbers_and_sizes:
        total = number * size
        key = min(size + extra, total)
        for i, start in enumerate(key_window_starts(total, window=size, key_window=key)):
            assert 0 <= start <= i * size
            assert (i + 1) * size <= start + key <= total


def test_overlapping_windows_equal_slices():
    x = torch.randn(2, 6, 8, 3)
    windows = overlapping_windows(x, window=(3, 4), key_window=(5, 6)).unflatten(0, (2, 2, 2))
    rows, columns = key_window_starts(6, window=3, key_window=5), key_window_starts(8, window=4, key_window=6)
    for i, j in itertools.product(range(2), range(2)):
        expected = x[:, rows[i] : rows[i] + 5, columns[j] : columns[j] + 6]
        torch.testing.assert_close(windows[:, i, j], expected)


def test_overlapping_windows_of_equal_size_are_the_windows():
    x = torch.randn(2, 4, 6, 5, 3)
    torch.testing.assert_close(
        overlapping_windows(x, window=(2, 3, 5), key_window=(2, 3, 9)), partition_windows(x, (2, 3, 5))
    )


def test_window_that_does_not_divide():
    message = (  # the whole sentence, once for its family
        r"^windows of \(2, 3\) do not divide the token grid \(4, 7\); "
        r"choose a window whose every size divides the grid's$"
    )
    with pytest.raises(ValueError, match=message):
        partition_windows(torch.zeros(1, 4, 7, 1), (2, 3))


@pytest.mark.parametrize("key_window", [(1, 4), (2, 2, 2)])
def test_key_window_that_does_not_cover_the_window(key_window):
    message = rf"key_window={re.escape(str(key_window))} .*cover window=\(2, 2\)"
    with pytest.raises(ValueError, match=message):
        overlapping_windows(torch.zeros(1, 4, 4, 1), window=(2, 2), key_window=key_window)
    with pytest.raises(ValueError, match=message):
        check_key_window((2, 2), key_window)


def test_padded_sizes_by_hand():
    assert padded_sizes((5, 6, 7, 1), (3, 3, 3, 4)) == (6, 6, 9, 4)


@settings(deadline=None)
@given(axes, st.data())
def test_padding_is_zeros_behind_the_end_and_cropping_undoes_it(numbers_and_sizes, data):
    window = tuple(w for _, w in numbers_and_sizes)
    padded = tuple(n * w for n, w in numbers_and_sizes)
    grid = tuple(p - data.draw(st.integers(0, w - 1)) for p, w in zip(padded, window, strict=True))
    x = torch.rand(2, *grid, 3) + 1.0
    out = pad_grid(x, window)
    expected = torch.zeros(2, *padded, 3)
    for place in itertools.product(*map(range, grid)):
        expected[(slice(None), *place)] = x[(slice(None), *place)]
    assert padded_sizes(grid, window) == padded
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(crop_grid(out, grid), x)


def test_nothing_is_copied_where_nothing_is_to_pad():
    x = torch.zeros(2, 4, 6, 3)
    assert pad_grid(x, (2, 3)) is x
    assert crop_grid(x, (4, 6)) is x


@pytest.mark.parametrize("grid", [(6, 10), (7, 11), (2, 4), (8, 3), (3, 13)])
def test_pieces_of_whole_and_of_cut_windows(grid):
    x, seen = torch.randn(2, *grid, 3), []

    def sums(piece, window):
        seen.append(window)
        windows = partition_windows(piece, window).sum((1, 2))[:, None, None]
        return reverse_windows(windows, tuple(g // w for g, w in zip(piece.shape[1:-1], window, strict=True)))

    out = in_pieces(sums, x, (3, 5))
    for row in range(out.shape[1]):
        for column in range(out.shape[2]):
            expected = x[:, 3 * row : 3 * row + 3, 5 * column : 5 * column + 5].sum((1, 2))
            torch.testing.assert_close(out[:, row, column], expected)
    assert out.shape[1:3] == (-(-grid[0] // 3), -(-grid[1] // 5))
    assert len(set(seen)) == len(seen)


def test_pieces_of_a_clip():
    x = torch.randn(1, 3, 5, 4, 2)
    assert torch.equal(in_pieces(lambda piece, window: 2 * piece, x, (2, 2, 3)), 2 * x)
