import re

import pytest
import torch
from torch import nn

from stvit_video.models.base import TokenModel
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.pool import PoolReducer

GRID = TokenGrid((6, 10))


class Tiny(TokenModel):
    """Two reducers behind one another, each over the image tokens' grid; the features are the first one's mean."""

    def __init__(self, *, token_grid=(4, 6), windows=((3, 5), (3, 5)), elastic=None):
        super().__init__(elastic=elastic)
        self.grid = GRID
        self.slots = nn.ModuleList(
            PoolReducer(token_grid=TokenGrid(token_grid), image_grid=GRID, window=window) for window in windows
        )
        self.head_drop = nn.Dropout(0.5)
        self.head = nn.Linear(2, 3)
        self.counts = []
        self.finish_tokens()

    def forward_features(self, clip):
        tokens = self.slots[0](clip.movedim(1, -1))
        self.counts.append(tokens[0, ..., 0].numel())
        return tokens.mean((1, 2))


IMAGES = torch.randn(5, 2, 6, 10)


def test_features_to_logits():
    model = Tiny(token_grid=(6, 10)).eval()
    torch.testing.assert_close(model(IMAGES), model.head(IMAGES.mean((2, 3))))
    assert model.train().forward_head(torch.ones(64, 2)).unique(dim=0).shape[0] > 1  # dropout before the head
    with pytest.raises(NotImplementedError, match="TokenModel .*features"):
        TokenModel()(IMAGES)
    with pytest.raises(NotImplementedError, match="TokenModel .*how many tokens"):
        TokenModel().tokens_per_level()


def test_the_count_is_set_everywhere():
    model = Tiny().eval()
    assert model.token_grid == TokenGrid((4, 6))
    for wanted, sizes in [(8, (2, 4)), ((6, 2), (6, 2))]:
        model.set_num_tokens(wanted)
        assert model.token_grid.sizes == sizes
        assert [reducer.token_grid.sizes for reducer in model.reducers()] == [sizes, sizes]


@pytest.mark.parametrize(
    ("num_tokens", "message"),
    [
        (0, "num_tokens=0 .*4 windows"),
        (6, r"num_tokens=6 .*4 windows of \(3, 5\).* multiple of 4 up to 60"),
        ((7, 2), r"num_tokens=\(7, 2\) .*grid \(6, 10\)"),
        ((3, 2), r"\(3, 2\) semantic tokens .*\(2, 2\) windows"),
        ("8", "num_tokens='8' is no number of tokens"),
        ((2, 2, 2), r"num_tokens=\(2, 2, 2\) .*grid \(6, 10\)"),
    ],
)
def test_counts_that_do_not_fit_change_nothing(num_tokens, message):
    model = Tiny()
    with pytest.raises(ValueError, match=message):
        model.set_num_tokens(num_tokens)
    assert model.token_grid.sizes == (4, 6)
    assert [reducer.token_grid.sizes for reducer in model.reducers()] == [(4, 6), (4, 6)]


def test_a_count_that_only_the_first_reducer_can_leave_changes_nothing():
    model = Tiny(token_grid=(4, 10), windows=((3, 5), (3, 2)))  # 2 x 2 and 2 x 5 windows
    with pytest.raises(ValueError, match=r"\(2, 4\) semantic tokens .*\(2, 5\) windows"):
        model.set_num_tokens((2, 4))
    assert [reducer.token_grid.sizes for reducer in model.reducers()] == [(4, 10), (4, 10)]


def test_a_dense_model_has_no_tokens_to_set():
    model = Tiny(windows=())
    assert model.token_grid is None
    assert model.reducers() == []
    with pytest.raises(ValueError, match="num_tokens=8 .*dense model"):
        model.set_num_tokens(8)


def test_counts_are_drawn_in_training_alone():
    torch.manual_seed(0)
    model = Tiny(elastic=[4, 8, (6, 10)]).train()
    for _ in range(200):
        model(IMAGES)
    assert set(model.counts) == {4, 8, 60}
    assert all(40 < model.counts.count(count) < 95 for count in (4, 8, 60))
    model.eval()
    model.counts.clear()
    for _ in range(5):
        model(IMAGES)
    assert set(model.counts) == {24}


def test_the_draw_follows_the_seed_and_reaches_every_reducer():
    model = Tiny(elastic=[4, 8, 60]).train()
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        for _ in range(9):
            model(IMAGES)
            assert len({reducer.token_grid for reducer in model.reducers()}) == 1
        drawn.append(tuple(model.counts))
        model.counts.clear()
    assert drawn[0] == drawn[1]


def test_out_of_training_parts_of_a_forward_pass_use_the_chosen_count_too():
    model = Tiny(elastic=[4]).train()
    model(IMAGES)
    assert model.token_grid.sizes == (4, 6)  # what was chosen, not what was drawn
    model.eval()
    model.forward_features(IMAGES)
    assert model.counts == [4, 24]
    model.train().set_num_tokens(8)
    model(IMAGES)
    model.eval()(IMAGES)
    assert model.counts[2:] == [4, 8]


@pytest.mark.parametrize("elastic", [[], 8, "8", {8: 1}])
def test_elastic_counts_that_are_no_list(elastic):
    message = (  # the whole sentence, once for its family
        f"^elastic={re.escape(repr(elastic))} is not possible; "
        r"give a list of token counts such as \[8, 16, 32\], to a model with semantic tokens$"
    )
    with pytest.raises(ValueError, match=message):
        Tiny(elastic=elastic)


def test_elastic_counts_of_a_dense_model():
    with pytest.raises(ValueError, match=r"elastic=\[8\] .*model with semantic tokens"):
        Tiny(windows=(), elastic=[8])


@pytest.mark.parametrize(
    ("count", "message"),
    [(6, "num_tokens=6 .*4 windows"), (2.5, "num_tokens=2.5 is no number"), ((3, 2), r"\(3, 2\) .*\(2, 2\) windows")],
)
def test_elastic_counts_that_do_not_fit(count, message):
    with pytest.raises(ValueError, match=message):
        Tiny(elastic=[8, count])


def test_a_generator_of_its_own_decides_the_draw():
    model = Tiny(elastic=[4, 8, 60]).train()
    drawn = []
    for state in (1, 2):
        torch.manual_seed(state)
        generator = torch.Generator().manual_seed(5)
        counts = []
        for _ in range(9):
            model.draw_tokens(generator=generator)
            counts.append(model.reducers()[0].token_grid.count)
        drawn.append(counts)
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 1


def test_logits_of_the_heads_draw_nothing():
    model = Tiny(elastic=[4]).train()
    model.head_drop.p = 0.0
    (logits,) = model.forward_logits(IMAGES)
    assert model.counts == [24]
    torch.testing.assert_close(logits, model.forward_head(model.forward_features(IMAGES)))


def test_blocks_to_recompute_are_found_in_the_model_and_in_its_levels():
    model = Tiny()
    model.blocks = nn.ModuleList([nn.Linear(2, 2)])
    model.level = nn.Module()
    model.level.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    model.recompute_blocks()
    found = {name for name, module in model.named_modules() if getattr(module, "recompute_in_backward", False)}
    assert found == {"blocks.0", "level.blocks.0", "level.blocks.1"}
    model.recompute_blocks(recompute=False)
    assert not model.blocks[0].recompute_in_backward
