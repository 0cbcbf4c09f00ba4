import re

import pytest
import torch
from torch import nn

from stvit_video.models.casvit.levels import (
    attention_makers,
    check_pixels,
    check_pyramid,
    level_dims,
    level_grid,
    slot_level,
    tokens_per_level,
)
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plan_text import parse_plan
from stvit_video.tokens.slot import TokenSlot


@pytest.mark.parametrize("size", [(32, 224), (33, 47), (62, 101)])
def test_grids_are_those_that_convolutions_leave(size):
    maps = torch.zeros(1, 1, *size)
    for num_convolutions in range(1, 6):
        maps = nn.functional.conv2d(maps, torch.zeros(1, 1, 3, 3), stride=2, padding=1)
        if num_convolutions >= 2:
            assert level_grid(size, num_convolutions - 2).sizes == tuple(maps.shape[2:])
            assert level_grid((5, *size), num_convolutions - 2).sizes == (5, *maps.shape[2:])


@pytest.mark.parametrize("size", [(31, 64), (64, 31), (0, 64, 64), (2, 64, 8), (64,), (2, 2, 64, 64)])
def test_input_that_is_too_small(size):
    with pytest.raises(ValueError, match=rf"size {re.escape(str(size))} .*small.* at least 32\b"):
        check_pixels(size)


@pytest.mark.parametrize("dims", [(4, 6), (4, 6, 8, 10), (5, 6, 7)])
def test_channels_that_do_not_fit_the_levels(dims):
    assert level_dims((4, 7, 9), num_levels=3) == (4, 7, 9)
    with pytest.raises(ValueError, match=rf"embed_dims={re.escape(str(dims))} .*3 levels.* first even"):
        level_dims(dims, num_levels=3)


@pytest.mark.parametrize(
    ("plan", "level"),
    [
        ("mixer*2 | mixer*3 | mixer*5", 2),
        ("mixer*2 | mixer*3 | mixer*2 semantic*2 mixer*4 refine | mixer*2", 2),
        ("mixer | mixer pool refine | mixer", 1),
        ("mixer | mixer | semantic*2 mixer", 2),
    ],
)
def test_where_work_per_frame_ends(plan, level):
    assert slot_level(parse_plan(plan)) == level


@pytest.mark.parametrize(
    ("plan", "token_grid", "counts"),
    [
        ("mixer | mixer | mixer | mixer", None, (5 * 9 * 12, 5 * 5 * 6, 5 * 3 * 3, 5 * 2 * 2)),
        ("mixer | mixer | mixer pool mixer | mixer", (2, 3, 1), (540, 150, 6, 2 * 2 * 1)),
        ("mixer | mixer | mixer semantic*2 refine recover | mixer", (2, 3, 1), (540, 150, 45, 20)),
    ],
)
def test_tokens_of_each_level(plan, token_grid, counts):
    token_grid = None if token_grid is None else TokenGrid(token_grid)
    assert tokens_per_level(parse_plan(plan), TokenGrid((5, 9, 12)), token_grid) == counts


def test_a_pyramid_needs_image_tokens():
    check_pyramid(parse_plan("mixer | mixer | mixer"))
    check_pyramid(parse_plan("mixer | mixer | mixer semantic*2 mixer recover | mixer"))
    with pytest.raises(ValueError, match="no map of every level.* stvit_r_"):
        check_pyramid(parse_plan("mixer | mixer | mixer semantic*2 mixer | mixer"))


def test_heads_and_gains_of_attention():
    slot = TokenSlot(TokenGrid((2, 3)), TokenGrid((4, 5)), layer_scale_init=0.5)
    refine = attention_makers(12, slot, head_dim=4, mlp_ratio=2)["refine"](drop_path_rate=0.0)
    assert refine.attn.num_heads == 3
    assert refine.ls1.gamma.tolist() == [0.5] * 12
    with pytest.raises(ValueError, match="head_dim=5 .*12 channels of level 3"):
        attention_makers(12, slot, head_dim=5, mlp_ratio=2)
    with pytest.raises(ValueError, match="head_dim=0 .*number, at least 1"):
        attention_makers(12, slot, head_dim=0, mlp_ratio=2)
