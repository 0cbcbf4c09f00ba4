"""The builder behind every named DeiT: sizes as people say them, to a `DeiT`."""

from collections.abc import Sequence
from typing import Any

from stvit_video.layers.numbers import pair, whole_number
from stvit_video.models.build_blocks import make_slot
from stvit_video.models.checks import image_token_grid
from stvit_video.models.deit.model import DeiT
from stvit_video.models.deit.plan import deit_plan
from stvit_video.tokens.generation_places import read_places, refuse_elastic_places
from stvit_video.tokens.plans import check_reducer

DEFAULT_TOKENS = 4  # along each axis
DEFAULT_PLACE = 4  # of generation: blocks before it
VIDEO_OPTIONS = ("num_frames", "tubelet_size", "base_attention")  # of `deit`, without a meaning for images


def deit(
    *,
    video: bool,
    num_classes: int,
    num_frames: int = 16,
    image_size: int | Sequence[int] = 224,
    in_channels: int = 3,
    tubelet_size: int = 2,
    patch_size: int | Sequence[int] = 16,
    embed_dim: int,
    depth: int = 12,
    num_heads: int,
    mlp_ratio: float = 4.0,
    qkv_bias: bool = True,
    base_attention: str = "frame",
    reducer: str = "none",
    recover: bool = False,
    generate_at: int | None = None,
    num_tokens: int | Sequence[int] | None = None,
    elastic: Sequence[Any] | None = None,
    elastic_generate_at: Sequence[int] | None = None,
    token_window: Sequence[int] | None = None,
    key_window: Sequence[int] | None = None,
    generate_shortcut: bool = True,
    global_centers: bool = True,
    pool: str | None = None,
    norm_after_pool: bool | None = None,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    layer_scale_init: float | None = 1e-5,
) -> DeiT:
    """DeiT over images or clips, dense (`reducer="none"`) or with few tokens, STViT-DeiT by default.

    Args:
        video: whether the input are clips.
        num_classes: logits of the head.
        num_frames: frames T of a clip.
        image_size: pixels, one number for both sides or (H, W).
        in_channels: channels of a pixel.
        tubelet_size: frames of a tubelet; T is a multiple of it.
        patch_size: pixels of a patch, one number or (h, w).
        embed_dim: channels C.
        depth: blocks in all, the two of generation included.
        num_heads: attention heads.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether attention projections have a bias.
        base_attention: of the first `generate_at` blocks: "frame" (each tubelet step alone) or "joint"; a dense
            model with "joint" is the plain space-time transformer.
        reducer: "none" (dense), or the name of what fills the slot (`stvit_video.tokens.reducers.reducer_names`).
        recover: whether the last block brings the image tokens back, for tasks that need every position.
        generate_at: number of blocks before generation; where left out, the largest of `elastic_generate_at`, else 4.
        num_tokens: semantic tokens, a count or a grid (H, W) or (T, H, W); where left out 4
            along each axis (16, for clips 64), on smaller grids all.
        elastic: counts or grids of which training draws one a step; None = always `num_tokens`.
        elastic_generate_at: numbers of blocks before generation of which training draws one a step; None = always
            `generate_at`. The largest is the number of image blocks.
        token_window: sizes of the windows of patches that are pooled each by itself, (h, w) or (t, h, w); None = all
            patches are one window.
        key_window: sizes of the larger windows whose patches the pooled tokens attend to; None = `token_window`.
        generate_shortcut: whether the first layer of generation has a residual around its attention.
        global_centers: whether there are learned cluster centres.
        pool: "cls" or "mean"; where left out, "cls" for dense models whose first blocks run per frame (as image
            weights do), else "mean".
        norm_after_pool: whether the last norm comes behind the mean; where left out, for dense joint models alone, as
            VideoMAE fine-tunes them.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block.
        layer_scale_init: start value of the gains in generation; None = no gains.

    Raises:
        ValueError: an option out of its range, or options that do not go together.

    Source: Touvron et al. 2021 (DeiT); STViT (arXiv:2303.08685); docs/develop/design.md, "Plans".
    """
    input_size, patch_sizes = pair("image_size", image_size), pair("patch_size", patch_size)
    if video:
        input_size = (whole_number("num_frames", num_frames), *input_size)
        patch_sizes = (whole_number("tubelet_size", tubelet_size), *patch_sizes)
    image_grid = image_token_grid(input_size, patch_sizes)
    dense = check_reducer(reducer, family="deit") == "none"
    if dense:
        refuse_elastic_places(elastic_generate_at)
    places = read_places(generate_at, elastic_generate_at, default=DEFAULT_PLACE)
    slot = make_slot(
        image_grid,
        dense=dense,
        num_tokens=num_tokens,
        default_tokens=tuple(min(DEFAULT_TOKENS, size) for size in image_grid.sizes),
        window=token_window,
        key_window=key_window,
        layer_scale_init=layer_scale_init,
        attention_shortcut=generate_shortcut,
        global_centers=global_centers,
    )
    return DeiT(
        input_size=input_size,
        patch_size=patch_sizes,
        in_channels=in_channels,
        num_classes=num_classes,
        embed_dim=embed_dim,
        num_heads=num_heads,
        plan=deit_plan(
            depth=depth, base_attention=base_attention, generate_at=places.deepest, reducer=reducer, recover=recover
        ),
        slot=slot,
        elastic=elastic,
        places=None if dense else places,
        pool=("cls" if dense and base_attention == "frame" else "mean") if pool is None else pool,
        norm_after_pool=dense and base_attention == "joint" if norm_after_pool is None else norm_after_pool,
        mlp_ratio=mlp_ratio,
        qkv_bias=qkv_bias,
        drop_rate=drop_rate,
        drop_path_rate=drop_path_rate,
    )
