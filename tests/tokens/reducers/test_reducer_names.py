"""What every reducer promises, whichever it is: a new one is tested here by its name alone."""

import pytest
import torch

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.slot import BlockSettings, TokenSlot

DIM = 6
WEIGHTLESS = [name for name, reducer in REDUCERS.items() if not reducer.num_layers]


def make(name, token_grid, grid, window=None):
    torch.manual_seed(0)
    slot = TokenSlot(token_grid=TokenGrid(token_grid), image_grid=TokenGrid(grid), window=window)
    rates = (0.1,) * REDUCERS[name].num_layers
    blocks = BlockSettings(num_heads=2)
    return REDUCERS[name].build(DIM, slot=slot, blocks=blocks, drop_path_rates=rates, is_first=True).eval()


def test_names():
    assert set(REDUCERS) >= {"semantic", "random", "pool", "tome"}
    assert "none" not in REDUCERS  # the dense model's
    assert len(set(REDUCERS.values())) == len(REDUCERS)
    assert all(name.replace("_", "").islower() and issubclass(REDUCERS[name], TokenReducer) for name in REDUCERS)


@pytest.mark.parametrize("name", REDUCERS)
@pytest.mark.parametrize(
    ("grid", "token_grid", "window"),
    [
        ((5, 7), (2, 3), None),
        ((3, 5, 7), (2, 2, 3), None),
        ((6, 10), (4, 6), (3, 5)),
        ((2, 6, 5), (2, 2, 3), (1, 3, 5)),
    ],
)
def test_tokens_lie_on_their_grid(name, grid, token_grid, window):
    reducer = make(name, token_grid, grid, window)
    for mode in (True, False):
        assert reducer.train(mode)(torch.randn(2, *grid, DIM)).shape == (2, *token_grid, DIM)


@pytest.mark.parametrize("name", REDUCERS)
def test_grids_of_other_sizes_have_as_many_tokens_in_each_window(name):
    reducer = make(name, (4, 6), (6, 10), (3, 5))
    for sizes, tokens in [((9, 5), (6, 3)), ((7, 11), (6, 9)), ((2, 4), (2, 3))]:
        assert reducer(torch.randn(2, *sizes, DIM)).shape == (2, *tokens, DIM)


@pytest.mark.parametrize("name", REDUCERS)
def test_each_says_what_its_tokens_come_from(name):
    reducer = make(name, (4, 6), (6, 10), (3, 5))
    for sizes, num_tokens in [((6, 10), 24), ((7, 11), 54)]:  # the second is padded to 9 x 15
        sources = reducer.sources(torch.randn(2, *sizes, DIM))
        assert (sources.shape, sources.dtype) == ((2, num_tokens, sizes[0] * sizes[1]), torch.float32)
        assert float(sources.min()) >= 0
        torch.testing.assert_close(sources.sum(-1), torch.ones(2, num_tokens))
        assert not sources.requires_grad


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_windows_are_reduced_each_by_itself(name):
    reducer, alone = make(name, (4, 6), (6, 10), (3, 5)), make(name, (2, 3), (3, 5))
    x = torch.randn(2, 6, 10, DIM)
    torch.testing.assert_close(reducer(x)[:, 2:, 3:], alone(x[:, 3:, 5:]))


@pytest.mark.parametrize("name", ["random", "pool", "tome"])
@pytest.mark.parametrize("grid", [(3, 5), (2, 3, 5)])
def test_all_tokens_are_the_tokens(name, grid):
    x = torch.randn(2, *grid, DIM)
    for mode in (True, False):
        torch.testing.assert_close(make(name, grid, grid).train(mode)(x), x)


@pytest.mark.parametrize("name", REDUCERS)
def test_weights_are_in_as_many_layers_as_the_class_says(name):
    reducer = make(name, (2, 3), (5, 7))
    num_layers = REDUCERS[name].num_layers
    assert bool(list(reducer.parameters())) == bool(num_layers)
    if num_layers:
        assert len(reducer.layers) == num_layers
        assert all(list(layer.parameters()) for layer in reducer.layers)
        reducer.train()(torch.randn(2, 5, 7, DIM)).square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in reducer.parameters())


@pytest.mark.parametrize("name", REDUCERS)
def test_another_number_of_tokens_works_or_is_refused(name):
    reducer = make(name, (2, 3), (5, 7))
    if REDUCERS[name].runs_at_any_count:
        reducer.set_token_grid(TokenGrid((4, 2)))
        assert reducer(torch.randn(2, 5, 7, DIM)).shape == (2, 4, 2, DIM)
    else:
        with pytest.raises(ValueError, match=r"grid \(4, 2\) .*\(2, 3\).*num_tokens=\(4, 2\)"):
            reducer.set_token_grid(TokenGrid((4, 2)))


@pytest.mark.parametrize("name", REDUCERS)
def test_more_tokens_than_there_are(name):
    reducer, x = make(name, (3, 3), (3, 9)), torch.zeros(1, 2, 9, DIM)
    if REDUCERS[name].runs_at_any_count:
        assert reducer(x).shape == (1, 2, 3, DIM)
    else:
        with pytest.raises(ValueError, match=r"grid of \(3, 3\) .*pooled.* \(2, 9\)"):
            reducer(x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", REDUCERS)
def test_large_values_stay_finite(name, dtype):
    reduced = make(name, (2, 3), (9, 11)).to(dtype)(1e3 * torch.randn(2, 9, 11, DIM).to(dtype))
    assert reduced.dtype == dtype
    assert reduced.isfinite().all()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert make(name, (2, 3), (9, 11))(torch.randn(2, 9, 11, DIM)).dtype == torch.float32


@pytest.mark.parametrize("name", REDUCERS)
def test_compiled_and_exported_reducers_give_the_same(name):
    reducer = make(name, (2, 3), (5, 7))
    x = torch.randn(2, 5, 7, DIM)
    expected = reducer(x)
    torch.testing.assert_close(torch.compile(reducer, backend="eager", fullgraph=True)(x), expected)
    torch.testing.assert_close(torch.export.export(reducer, (x,)).module()(x), expected)
