import pytest
import torch

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.token_reducer import TokenReducer, tokens_per_window
from stvit_video.tokens.slot import BlockSettings, TokenSlot


def make(token_grid, grid=None, window=None):
    image_grid = None if grid is None else TokenGrid(grid)
    return TokenReducer(token_grid=TokenGrid(token_grid), image_grid=image_grid, window=window)


def test_tokens_of_a_window_by_hand():
    assert tokens_per_window((6, 4), grid=(14, 14), window=(7, 7)) == (3, 2)
    assert tokens_per_window((2, 6, 4), grid=(2, 9, 10), window=(2, 3, 5)) == (2, 2, 2)


def test_one_window_without_windows():
    reducer = make((2, 3))
    x = torch.randn(2, 5, 7, 3)
    assert reducer.tokens_per_window == (2, 3)
    assert reducer.to_windows(x) is x
    assert reducer.from_windows(x[:, :2, :3], (5, 7)).shape == (2, 2, 3, 3)


def test_windows_go_there_and_back_in_order():
    reducer = make((4, 6), (6, 10), (3, 5))
    x = torch.randn(2, 6, 10, 3)
    windows = reducer.to_windows(x)
    torch.testing.assert_close(windows.unflatten(0, (2, 2, 2))[:, 1, 0], x[:, 3:, :5])
    corners = reducer.from_windows(windows[:, :2, :3], (6, 10))
    torch.testing.assert_close(corners, x[:, [0, 1, 3, 4]][:, :, [0, 1, 2, 5, 6, 7]])


def test_a_grid_that_the_windows_do_not_divide_is_padded_behind():
    reducer = make((4, 6), (6, 10), (3, 5))
    x = torch.randn(2, 7, 4, 3)
    windows = reducer.to_windows(x)  # 3 x 1 windows
    assert windows.shape == (2 * 3, 3, 5, 3)
    torch.testing.assert_close(windows.unflatten(0, (2, 3))[:, 2, :1, :4], x[:, 6:])
    assert windows.unflatten(0, (2, 3))[:, 2, 1:].abs().max() == 0
    assert windows[:, :, 4:].abs().max() == 0
    assert reducer.from_windows(windows[:, :2, :3], (7, 4)).shape == (2, 6, 3, 3)


def test_set_token_grid():
    reducer = make((4, 6), (6, 10), (3, 5))
    reducer.set_token_grid(TokenGrid((2, 10)))
    assert reducer.token_grid.sizes == (2, 10)
    assert reducer.tokens_per_window == (1, 5)
    with pytest.raises(ValueError, match=r"\(3, 10\) semantic tokens .*\(2, 2\) windows"):
        reducer.set_token_grid(TokenGrid((3, 10)))
    with pytest.raises(ValueError, match=r"grid \(1, 2, 2\) .*axes.* 2 sizes"):
        reducer.set_token_grid(TokenGrid((1, 2, 2)))
    assert reducer.token_grid.sizes == (2, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((2, 2), None, (3, 3)), r"window=\(3, 3\) needs the image_grid"),
        (((2, 2), (6, 7), (3, 3)), r"windows of \(3, 3\) .*divide.* grid \(6, 7\)"),
        (((2, 3), (6, 6), (3, 3)), r"\(2, 3\) semantic tokens .*\(2, 2\) windows"),
        (((2, 2), (6, 6), (2, 3, 3)), r"windows of \(2, 3, 3\) .*divide.* grid \(6, 6\)"),
    ],
)
def test_windows_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(*arguments)


@pytest.mark.parametrize(
    ("grid", "sizes", "left"),
    [((2, 9), (3, 3), (2, 3)), ((9, 2), (3, 3), (3, 2)), ((2, 9, 1), (3, 3, 3), (2, 3, 1)), ((4, 5), (3, 3), (3, 3))],
)
def test_a_grid_with_fewer_tokens_along_an_axis_keeps_as_many_as_it_has(grid, sizes, left):
    reducer, x = make(sizes), torch.zeros(1, *grid, 2)
    assert reducer.window_tokens(grid) == left
    assert reducer.to_windows(x) is x


def test_more_tokens_than_there_are_where_their_number_is_fixed():
    class Fixed(TokenReducer):
        runs_at_any_count = False

    with pytest.raises(ValueError, match=r"grid of \(3, 3\) .*pooled.* \(2, 9\)"):
        Fixed(token_grid=TokenGrid((3, 3))).to_windows(torch.zeros(1, 2, 9, 2))


def test_more_tokens_than_a_window_has():
    message = (  # the whole sentence, once for its family
        r"^a token grid of \(4, 3\) can't be pooled from image tokens of \(3, 5\); "
        r"choose at most as many tokens along each axis$"
    )
    with pytest.raises(ValueError, match=message):
        make((8, 6), (6, 10), (3, 5)).to_windows(torch.zeros(1, 6, 10, 2))


def test_settings_are_printed():
    assert repr(make((4, 6), (6, 10), (3, 5))) == "TokenReducer(token_grid=(4, 6), window=(3, 5))"


def test_a_reducer_without_weights_is_built_from_its_slot():
    slot = TokenSlot(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5))
    built = TokenReducer.build(7, slot=slot, blocks=BlockSettings(num_heads=1), drop_path_rates=(), is_first=True)
    assert (built.token_grid, built.image_grid, built.window) == (TokenGrid((4, 6)), TokenGrid((6, 10)), (3, 5))


def test_a_count_that_is_built_into_the_weights():
    class Fixed(TokenReducer):
        runs_at_any_count = False

    reducer = Fixed(token_grid=TokenGrid((2, 3)))
    reducer.set_token_grid(TokenGrid((2, 3)))
    message = (  # the whole sentence, once for its family
        r"^token grid \(3, 3\) is not possible: the weights of Fixed are for \(2, 3\) tokens; keep these without "
        r"elastic, or build a model with num_tokens=\(3, 3\)$"
    )
    with pytest.raises(ValueError, match=message):
        reducer.set_token_grid(TokenGrid((3, 3)))


def cut(window=(3, 5)):
    return TokenReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=window, cut_windows=True)


@pytest.mark.parametrize(
    ("grid", "left"), [((6, 10), (4, 6)), ((7, 12), (5, 8)), ((2, 4), (2, 3)), ((1, 1), (1, 1)), ((8, 3), (6, 2))]
)
def test_windows_that_the_end_cuts_leave_the_tokens_that_begin_inside(grid, left):
    """Cells of 3 for 2 tokens begin at 0 and 1, of 5 for 3 tokens at 0, 1 and 3."""
    x = torch.randn(2, *grid, 3)
    reducer = cut()
    out = reducer.reduce(x, lambda windows, sizes: reducer.pool(windows, sizes, torch.amax))
    assert out.shape == (2, *left, 3)
    whole = TokenReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5))
    positive = x - x.amin() + 1.0  # so that no zero of a padded window is the largest
    cells = whole.reduce(positive, lambda windows, sizes: whole.pool(windows, sizes, torch.amax))
    torch.testing.assert_close(out - x.amin() + 1.0, cells[:, : left[0], : left[1]])


def test_a_slot_with_windows_of_recovery_cuts():
    slot = TokenSlot(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5), recover_window=(4, 6))
    built = TokenReducer.build(7, slot=slot, blocks=BlockSettings(num_heads=1), drop_path_rates=(), is_first=True)
    assert built.cut_windows
