import torch

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.random import RandomReducer, evaluation_places


def make(token_grid):
    return RandomReducer(token_grid=TokenGrid(token_grid)).eval()


def test_random_drop_keeps_tokens_in_the_order_of_the_grid():
    x = torch.arange(35.0).reshape(1, 5, 7, 1).expand(2, -1, -1, -1)
    for training in (True, False):
        kept = make((3, 4)).train(training)(x)
        assert kept.shape == (2, 3, 4, 1)
        places = kept.flatten(1).long()
        assert (places.diff(dim=1) > 0).all()
        assert ((places >= 0) & (places < 35)).all()


def test_random_drop_is_fixed_outside_training_and_new_in_it():
    x = torch.arange(35.0).reshape(1, 5, 7, 1).expand(3, -1, -1, -1)
    reducer = make((3, 4))
    fixed = reducer(x)
    torch.testing.assert_close(fixed[0].flatten().tolist(), [float(place) for place in evaluation_places(35, 12)])
    torch.testing.assert_close(fixed[1], fixed[0])
    torch.testing.assert_close(make((3, 4))(x), fixed)
    reducer.train()
    drawn = torch.stack([reducer(x) for _ in range(3)]).flatten(0, 1).flatten(1)  # 3 calls of 3 samples
    assert len({tuple(row) for row in drawn.tolist()}) == 9


def test_random_drop_keeps_every_place_equally_often():
    torch.manual_seed(0)
    x = torch.eye(15).reshape(1, 3, 5, 15).expand(2000, -1, -1, -1)
    shares = make((2, 3)).train()(x).sum((1, 2)).mean(0)
    torch.testing.assert_close(shares, torch.full((15,), 6 / 15), atol=0.05, rtol=0)


def test_random_drop_takes_nothing_from_outside_of_a_cut_window():
    reducer = RandomReducer(
        token_grid=TokenGrid((4, 6)), image_grid=TokenGrid((6, 10)), window=(3, 5), cut_windows=True
    )
    x = torch.arange(1.0, 7 * 12 + 1).reshape(1, 7, 12, 1)
    for training in (True, False):
        kept = reducer.train(training)(x)
        assert kept.shape == (1, 5, 8, 1)
        assert kept.min() > 0
        assert len(kept.unique()) == 40
