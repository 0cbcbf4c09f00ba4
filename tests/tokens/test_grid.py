import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.tokens.grid import TokenGrid, check_reduction, choose_token_grid, choose_window_tokens

grids = st.lists(st.integers(1, 9), min_size=2, max_size=3).map(lambda sizes: TokenGrid(tuple(sizes)))


@pytest.mark.parametrize(
    ("num_tokens", "image", "expected"),
    [
        (16, (14, 14), (4, 4)),
        (64, (8, 14, 14), (4, 4, 4)),
        (64, (6, 8, 8), (4, 4, 4)),
        (8, (6, 8, 8), (2, 2, 2)),
        (6, (4, 9), (2, 3)),
        (1, (3, 5, 7), (1, 1, 1)),
        (105, (3, 5, 7), (3, 5, 7)),
    ],
)
def test_known_grids(num_tokens, image, expected):
    assert choose_token_grid(num_tokens, TokenGrid(image)).sizes == expected


@given(grids, st.data())
def test_grid_has_the_count_and_fits(image, data):
    inside = TokenGrid(tuple(data.draw(st.integers(1, size)) for size in image.sizes))
    chosen = choose_token_grid(inside.count, image)
    assert chosen.count == inside.count
    assert chosen.fits_in(image)


@pytest.mark.parametrize("num_tokens", [0, -3, 36])
def test_count_out_of_range(num_tokens):
    with pytest.raises(ValueError, match=rf"num_tokens={num_tokens} .*35 image tokens.* 1 to 35"):
        choose_token_grid(num_tokens, TokenGrid((5, 7)))


def test_count_without_factors():
    message = (  # the whole sentence, once for its family
        r"^num_tokens=11 has no factors that fit the grid \(5, 7\); "
        r"choose another count, or give num_tokens as a grid$"
    )
    with pytest.raises(ValueError, match=message):
        choose_token_grid(11, TokenGrid((5, 7)))


@pytest.mark.parametrize(
    ("num_tokens", "image", "window", "expected"),
    [
        (64, (14, 14), (7, 7), (8, 8)),
        (24, (14, 21), (7, 7), (4, 6)),
        (36, (6, 10), (3, 5), (6, 6)),
        (8, (6, 10), (3, 5), (2, 4)),
        (60, (6, 10), (3, 5), (6, 10)),
        (128, (8, 14, 14), (8, 7, 7), (2, 8, 8)),
    ],
)
def test_known_grids_of_windows(num_tokens, image, window, expected):
    chosen = choose_window_tokens(num_tokens, TokenGrid(image), window)
    assert chosen.sizes == expected
    assert chosen.count == num_tokens


@pytest.mark.parametrize("num_tokens", [-4, 0, 3, 6, 64])
def test_counts_that_windows_can_not_share(num_tokens):
    with pytest.raises(ValueError, match=rf"num_tokens={num_tokens} .*4 windows of \(3, 5\).* multiple of 4 up to 60"):
        choose_window_tokens(num_tokens, TokenGrid((6, 10)), (3, 5))


def test_shares_without_factors():
    with pytest.raises(ValueError, match=r"num_tokens=28 is 7 .*4 windows.* factors.* \(3, 5\)"):
        choose_window_tokens(28, TokenGrid((6, 10)), (3, 5))


@pytest.mark.parametrize("sizes", [(3,), (0, 4), (1, 2, 3, 4), (2.5, 2), (True, 2), ("2", 2)])
def test_impossible_grids(sizes):
    with pytest.raises(ValueError, match=rf"{re.escape(str(sizes))} .*\(H, W\) or \(T, H, W\).* at least 1"):
        TokenGrid(sizes)


def test_other_number_of_axes_never_fits():
    assert not TokenGrid((2, 2)).fits_in(TokenGrid((2, 2, 2)))


@pytest.mark.parametrize(("grid", "sizes"), [((2, 9), (3, 3)), ((9, 2), (3, 3)), ((2, 9, 9), (3, 3))])
def test_more_tokens_than_there_are(grid, sizes):
    with pytest.raises(ValueError, match=rf"grid of \(3, 3\) .*pooled.* {re.escape(str(grid))}"):
        check_reduction(grid, sizes)


def test_fewer_tokens_than_there_are():
    check_reduction((2, 9, 3), (2, 3, 1))
