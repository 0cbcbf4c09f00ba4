"""The builder behind every named Swin: sizes as people say them, to a `Swin`."""

from collections.abc import Sequence
from typing import Any

from stvit_video.layers.numbers import is_whole, pair, whole_number, whole_numbers
from stvit_video.layers.windows import check_windows, padded_sizes
from stvit_video.models.build_blocks import make_slot
from stvit_video.models.checks import image_token_grid
from stvit_video.models.swin.blocks import cut_window, whole_patches
from stvit_video.models.swin.model import Swin, level_grids
from stvit_video.models.swin.plan import swin_plan
from stvit_video.models.swin.windowed import check_recover_window, check_windowed
from stvit_video.tokens.generation_places import read_places, refuse_elastic_places
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plans import REDUCED_STAGE, check_reducer

VIDEO_OPTIONS = ("num_frames", "tubelet_size")  # of `swin`, without a meaning for images
WINDOW_STEPS = 8  # tubelet steps of a window where one number is said for both sides
PART_OF_WINDOW = {  # semantic tokens to the cells of a window along (time,) height and width
    "image": (4 / 7, 4 / 7),  # 7x7 -> 4x4
    "video": (4 / 8, 2 / 7, 2 / 7),  # 8x7x7 -> 4x2x2
    "recover image": (3 / 7, 3 / 7),  # 7x7 -> 3x3
    "recover video": (4 / 8, 3 / 7, 3 / 7),  # 8x7x7 -> 4x3x3
}


def swin(
    *,
    video: bool,
    num_classes: int,
    num_frames: int = 16,
    image_size: int | Sequence[int] = 224,
    in_channels: int = 3,
    tubelet_size: int = 2,
    patch_size: int | Sequence[int] = 4,
    embed_dim: int,
    depths: Sequence[int],
    num_heads: Sequence[int],
    window_size: int | Sequence[int] = 7,
    mlp_ratio: float = 4.0,
    qkv_bias: bool = True,
    reducer: str = "none",
    recover: bool = False,
    generate_at: int | None = None,
    num_tokens: int | Sequence[int] | None = None,
    elastic: Sequence[Any] | None = None,
    elastic_generate_at: Sequence[int] | None = None,
    token_window: Sequence[int] | None = None,
    key_window: Sequence[int] | None = None,
    center_window: Sequence[int] | None = None,
    recover_window: Sequence[int] | None = None,
    generate_shortcut: bool = True,
    global_centers: bool = True,
    conv_stem: bool = False,
    features_only: bool = False,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    layer_scale_init: float | None = 1e-5,
    block_layer_scale: float | None = None,
) -> Swin:
    """Swin over images or clips, dense (`reducer="none"`), with few tokens, or with few tokens and recovery.

    Args:
        video: whether the input are clips.
        num_classes: logits of the head.
        num_frames: frames T of a clip.
        image_size: pixels, one number for both sides or (H, W).
        in_channels: channels of a pixel.
        tubelet_size: frames of a tubelet; T is a multiple of it.
        patch_size: pixels of a patch, one number or (h, w).
        embed_dim: channels C of the first level; every later one has twice as many.
        depths: blocks of each level; each layer of generation counts as one.
        num_heads: attention heads of each level.
        window_size: tokens of an attention window, one number for both sides (and 8 tubelet steps), or a size for each
            axis, (h, w) or (t, h, w).
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether attention projections have a bias.
        reducer: "none" (dense), or the name in `stvit_video.tokens.reducers.reducer_names` of what fills the slot in
            level 3.
        recover: whether level 3 is made of units of 6 blocks that generate semantic tokens and bring the image tokens
            back, as in STViT-R.
        generate_at: blocks of level 3 before generation; where left out, the largest of `elastic_generate_at`, else a
            third of them. Without a meaning for the dense model and with recovery.
        num_tokens: semantic tokens, a count or a grid (H, W) or (T, H, W); where left out, for each window of 7x7 4x4,
            of 8x7x7 4x2x2, with recovery 3x3 and 4x3x3, and of other windows the like share.
        elastic: counts or grids of which training draws one a step; None = always `num_tokens`.
        elastic_generate_at: numbers of blocks of level 3 before generation of which training draws one a step; None =
            always `generate_at`. The largest is the number of its window blocks; those that are not before generation
            attend among all semantic tokens, without the biases of their windows.
        token_window: sizes of the windows that are pooled each by itself; cut to the grid of level 3, which they must
            divide. Where left out, the attention window, for which the grid is padded.
        key_window: sizes of the larger windows whose tokens the pooled ones attend to; where left out, `token_window`,
            with recovery 10x10 for 7x7 and the like share of other windows, with `center_window` twice the window.
        center_window: sizes of the windows of image tokens that the second layer of generation sees, such as (21, 21)
            for 7x7; None = it sees all image tokens. Together with `recover_window`, in images with recovery.
        recover_window: semantic tokens along each axis that the image tokens of a window see when they come back, such
            as (27, 27); None = they see all.
        generate_shortcut: whether the first layer of generation has a residual around its attention.
        global_centers: whether there are learned cluster centres.
        conv_stem: whether two convolutions make the tokens, instead of a linear map of patches and a norm.
        features_only: whether the model gives the normed maps of all levels, for detection.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block.
        layer_scale_init: start value of the gains in generation and recovery, with recovery also of all blocks among
            semantic tokens; None = no gains.
        block_layer_scale: start value of the gains of ordinary blocks of the other levels, and without recovery of
            those among semantic tokens; None = no gains.

    Raises:
        ValueError: an option out of its range, or options that do not go together.

    Source: Liu et al. 2021 (Swin); Liu et al. 2022 (Video Swin); STViT and STViT-R (arXiv:2303.08685);
        docs/develop/design.md, "Swin and STViT-R".
    """
    input_size, patch_sizes = pair("image_size", image_size), pair("patch_size", patch_size)
    if video:
        input_size = (whole_number("num_frames", num_frames), *input_size)
        patch_sizes = (whole_number("tubelet_size", tubelet_size), *patch_sizes)
    window, depths = window_sizes(window_size, video=video), whole_numbers("depths", depths)
    dense = check_reducer(reducer, family="swin") == "none"
    windowed = {"center_window": center_window, "recover_window": recover_window}
    check_windowed(windowed, video=video, recover=recover, reducer=reducer)
    if recover and generate_at is not None:
        raise ValueError(
            f"generate_at={generate_at!r} has no meaning with recovery, whose units are fixed; leave it out"
        )
    if dense or recover:
        refuse_elastic_places(elastic_generate_at, model="a model with recovery" if recover else "a dense model")
    third = max(depths[min(REDUCED_STAGE, len(depths) - 1)] // 3, 1)
    places = read_places(generate_at, elastic_generate_at, default=third)
    plan = swin_plan(depths=depths, generate_at=places.deepest, reducer=reducer, recover=recover)
    grid = level_grids(image_token_grid(whole_patches(input_size, patch_sizes), patch_sizes), len(depths))[
        REDUCED_STAGE
    ]
    cells = cut_window(
        window if token_window is None else _sizes("token_window", token_window, num_axes=len(window)), grid
    )
    if token_window is not None:
        check_windows(grid, cells)
    padded = padded_sizes(grid, cells)
    keys, centres, seen = (
        None if sizes is None else _sizes(name, sizes, num_axes=len(window))
        for name, sizes in {"key_window": key_window, **windowed}.items()
    )
    slot = make_slot(
        TokenGrid(padded),
        dense=dense,
        num_tokens=num_tokens,
        default_tokens=default_token_grid(padded, cells, recover=recover),
        window=token_window if dense else cells,
        key_window=keys if dense else _key_window(keys, cells, padded, recover=recover, windowed=centres is not None),
        center_window=centres,
        recover_window=seen,
        layer_scale_init=layer_scale_init,
        attention_shortcut=generate_shortcut,
        global_centers=global_centers,
    )
    check_recover_window(slot)
    return Swin(
        input_size=input_size,
        patch_size=patch_sizes,
        in_channels=in_channels,
        num_classes=num_classes,
        embed_dim=embed_dim,
        num_heads=num_heads,
        plan=plan,
        window=window,
        slot=slot,
        elastic=elastic,
        places=None if dense or recover else places,
        conv_stem=conv_stem,
        features_only=features_only,
        mlp_ratio=mlp_ratio,
        qkv_bias=qkv_bias,
        drop_rate=drop_rate,
        drop_path_rate=drop_path_rate,
        block_layer_scale=block_layer_scale,
        refine_layer_scale=layer_scale_init if recover else block_layer_scale,
    )


def window_sizes(window_size: int | Sequence[int], *, video: bool) -> tuple[int, ...]:
    """Tokens of an attention window along each axis.

    Raises:
        ValueError: neither one number nor one for each axis.
    """
    if is_whole(window_size):
        side = whole_number("window_size", window_size)
        return (WINDOW_STEPS,) * video + (side, side)
    return _sizes("window_size", window_size, num_axes=3 if video else 2)


def default_token_grid(grid: tuple[int, ...], window: tuple[int, ...], *, recover: bool) -> tuple[int, ...]:
    """The semantic tokens' grid that is left where nobody says one.

    Args:
        grid: of image tokens in level 3, a multiple of the window.
        window: cells of a window that is reduced by itself.
        recover: whether the image tokens are brought back.
    """
    parts = PART_OF_WINDOW["recover " * recover + ("image" if len(grid) == 2 else "video")]
    in_window = (max(round(w * part), 1) for w, part in zip(window, parts, strict=True))
    return tuple(g // w * tokens for g, w, tokens in zip(grid, window, in_window, strict=True))


def _key_window(
    key_window: tuple[int, ...] | None,
    window: tuple[int, ...],
    grid: tuple[int, ...],
    *,
    recover: bool,
    windowed: bool,
) -> tuple[int, ...] | None:
    """Sizes of the windows of keys: as asked for, 10 cells for 7 with recovery, else None; cut to the grid.

    Where both layers of generation have windows, these are twice the window, and the grid does not cut them: it is that
    of one size of pictures among many.
    """
    if windowed:
        return tuple(2 * w for w in window) if key_window is None else key_window
    if key_window is None:
        if not recover:
            return None
        key_window = (*window[:-2], *(w * 10 // 7 for w in window[-2:]))
    return cut_window(key_window, grid)


def _sizes(name: str, sizes: Any, *, num_axes: int) -> tuple[int, ...]:
    """One whole number for each axis.

    Raises:
        ValueError: another number of them.
    """
    checked = whole_numbers(name, sizes)
    if len(checked) != num_axes:
        raise ValueError(
            f"{name}={checked} has the wrong number of axes; give {'(t, h, w)' if num_axes == 3 else '(h, w)'}"
        )
    return checked
