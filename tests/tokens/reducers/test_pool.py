import torch
from torch.nn import functional as F

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.pooling import mean_pool_grid
from stvit_video.tokens.reducers.pool import PoolReducer


def test_tokens_are_the_means_of_cells():
    x = torch.randn(2, 5, 7, 3)
    expected = F.adaptive_avg_pool2d(x.movedim(-1, 1), (2, 3)).movedim(1, -1)
    torch.testing.assert_close(PoolReducer(token_grid=TokenGrid((2, 3)))(x), expected)


def test_pooling_in_windows_of_the_grid():
    pool = PoolReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5))
    x = torch.randn(2, 6, 10, 3)
    torch.testing.assert_close(pool(x)[:, 2:, :3], mean_pool_grid(x[:, 3:, :5], (2, 3)))


def test_no_zero_of_a_cut_window_is_in_a_mean():
    pool = PoolReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5), cut_windows=True)
    torch.testing.assert_close(pool(torch.ones(2, 7, 12, 3)), torch.ones(2, 5, 8, 3))
    x = torch.randn(2, 6, 10, 3)
    whole = PoolReducer(token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5))
    assert torch.equal(pool(x), whole(x))
