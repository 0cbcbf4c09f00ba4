import re

import numpy as np
import pytest
import torch

from stvit_video.models.checks import check_pool, checked_clip, image_token_grid, resolve_token_grid
from stvit_video.tokens.grid import TokenGrid

GRID = TokenGrid((3, 5, 7))
CLIP = {"num_axes": 3, "in_channels": 2, "dtype": torch.float32}


def test_grid_of_patches():
    assert image_token_grid((6, 15, 28), (2, 3, 4)) == GRID


@pytest.mark.parametrize(
    ("num_tokens", "sizes"),
    [(1, (1, 1, 1)), (np.int64(105), (3, 5, 7)), ((2, 3, 4), (2, 3, 4)), ([2, np.int32(3), 4], (2, 3, 4))],
)
def test_counts_and_grids_of_tokens(num_tokens, sizes):
    assert resolve_token_grid(num_tokens, GRID).sizes == sizes


@pytest.mark.parametrize("num_tokens", [2.5, "4", True, None, {4}])
def test_values_that_are_no_number_of_tokens(num_tokens):
    message = (  # the whole sentence, once for its family
        f"num_tokens={num_tokens!r} is no number of tokens; give a whole number, or a grid with one size for each "
        "axis, such as (4, 4, 4)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resolve_token_grid(num_tokens, GRID)


@pytest.mark.parametrize("num_tokens", [(2, 2.5, 2), (0, 1, 1), [True, 1, 1]])
def test_grids_of_values_that_are_no_sizes(num_tokens):
    with pytest.raises(ValueError, match="num_tokens=.* .*each axis, at least 1"):
        resolve_token_grid(num_tokens, GRID)


def test_grid_larger_than_the_image():
    with pytest.raises(ValueError, match=r"num_tokens=\(4, 1, 1\) .*grid \(3, 5, 7\)"):
        resolve_token_grid((4, 1, 1), GRID)


@pytest.mark.parametrize(
    ("num_tokens", "sizes"), [(np.int64(16), (1, 4, 4)), (140, (1, 10, 14)), ((3, 2, 6), (3, 2, 6))]
)
def test_counts_are_shared_by_windows(num_tokens, sizes):
    assert resolve_token_grid(num_tokens, TokenGrid((3, 10, 14)), window=(3, 5, 7)).sizes == sizes


def test_counts_that_windows_can_not_share():
    with pytest.raises(ValueError, match=r"num_tokens=6 .*4 windows of \(3, 5, 7\).* multiple of 4\b"):
        resolve_token_grid(6, TokenGrid((3, 10, 14)), window=(3, 5, 7))
    with pytest.raises(ValueError, match="num_tokens=2.5 is no number of tokens"):
        resolve_token_grid(2.5, TokenGrid((3, 10, 14)), window=(3, 5, 7))


@pytest.mark.parametrize(("size", "patch"), [((6, 15, 29), (2, 3, 4)), ((6, 2, 28), (2, 3, 4)), ((15, 28), (2, 3, 4))])
def test_patches_that_do_not_tile_the_input(size, patch):
    with pytest.raises(ValueError, match=rf"size {re.escape(str(size))} .*patches of \(2, 3, 4\)"):
        image_token_grid(size, patch)


def test_pool():
    check_pool("cls", semantic=False)
    check_pool("mean", semantic=True)
    with pytest.raises(ValueError, match='pool=\'\' .*"cls" or "mean"'):
        check_pool("", semantic=False)
    with pytest.raises(ValueError, match='pool="cls" .*semantic tokens'):
        check_pool("cls", semantic=True)


def test_clip_of_the_weights_type_passes():
    for clip in (torch.zeros(1, 2, 4, 6, 8), torch.zeros(1, 2, 4, 6, 8).bfloat16()):
        assert checked_clip(clip, **{**CLIP, "dtype": clip.dtype}) is clip


def test_images_come_with_and_without_the_axis_of_the_frame():
    image = torch.randn(5, 2, 6, 8)
    assert checked_clip(image, **{**CLIP, "num_axes": 2}) is image
    assert torch.equal(checked_clip(image[:, :, None], **{**CLIP, "num_axes": 2}), image)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 2, 3, 6, 8), r"shape \(1, 2, 3, 6, 8\) has 3 frames, .*\(B, 2, H, W\)"),
        ((1, 1, 2, 6, 8), r"shape \(1, 1, 2, 6, 8\) has 2 frames, .*\(B, 2, 1, H, W\)"),
        ((1, 3, 1, 6, 8), r"shape \(1, 3, 1, 6, 8\) .*give \(B, 2, H, W\)"),
        ((2, 6, 8), r"shape \(2, 6, 8\) .*give \(B, 2, H, W\)"),
    ],
)
def test_shapes_that_are_no_images(shape, message):
    with pytest.raises(ValueError, match=message):
        checked_clip(torch.zeros(shape), **{**CLIP, "num_axes": 2})


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((1, 2, 4, 6, 8)), r"clip is a ndarray; .*tensor \(B, 2, T, H, W\)"),
        (None, "clip is a NoneType; .*tensor"),
        (torch.zeros(1, 2, 4, 6, 8, dtype=torch.uint8), "clip is torch.uint8; .*floating point"),
        (torch.zeros(1, 4, 2, 6, 8), r"shape \(1, 4, 2, 6, 8\) .*give \(B, 2, T, H, W\)"),
        (
            torch.zeros(1, 2, 4, 6, 8).double(),  # the whole sentence, once for its family
            r"^clip is torch.float64, the model's weights are torch.float32; "
            r"give clip.to\(torch.float32\), or run under torch.autocast$",
        ),
        (torch.zeros(1, 2, 4, 6, 8).half(), "clip is torch.float16, .*torch.float32"),
    ],
)
def test_clips_that_do_not_fit(clip, message):
    with pytest.raises(ValueError, match=message):
        checked_clip(clip, **CLIP)


def test_images_are_called_images():
    with pytest.raises(ValueError, match="image is torch.int64; .*floating point"):
        checked_clip(torch.zeros(1, 2, 6, 8, dtype=torch.int64), **{**CLIP, "num_axes": 2})


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_any_floating_type_passes_under_autocast(dtype):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        checked_clip(torch.zeros(1, 2, 4, 6, 8, dtype=dtype), **CLIP)
        with pytest.raises(ValueError, match="clip is torch.uint8; .*floating point"):
            checked_clip(torch.zeros(1, 2, 4, 6, 8, dtype=torch.uint8), **CLIP)
