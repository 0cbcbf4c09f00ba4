"""The builder behind every named CAS-ViT: sizes as people say them, to a `CasViT`."""

from collections.abc import Sequence
from typing import Any

from stvit_video.layers.numbers import pair, whole_number
from stvit_video.models.build_blocks import make_slot
from stvit_video.models.casvit.levels import level_grid
from stvit_video.models.casvit.model import CasViT
from stvit_video.models.casvit.plan import casvit_plan
from stvit_video.tokens.generation_places import read_places, refuse_elastic_places
from stvit_video.tokens.plans import REDUCED_STAGE, check_reducer

VIDEO_OPTIONS = ("num_frames",)  # of `casvit`, without a meaning for images
DEFAULT_PLACE = 1  # of generation: blocks of level 3 before it


def casvit(
    *,
    video: bool,
    num_classes: int,
    num_frames: int = 16,
    image_size: int | Sequence[int] = 224,
    in_channels: int = 3,
    embed_dims: Sequence[int],
    depths: Sequence[int],
    mlp_ratio: float = 4.0,
    head_dim: int = 16,
    reducer: str = "none",
    recover: bool = False,
    generate_at: int | None = None,
    num_tokens: int | Sequence[int] | None = None,
    token_stride: int = 4,
    elastic: Sequence[Any] | None = None,
    elastic_generate_at: Sequence[int] | None = None,
    token_window: Sequence[int] | None = None,
    key_window: Sequence[int] | None = None,
    generate_shortcut: bool = True,
    global_centers: bool = True,
    distillation: bool = False,
    features_only: bool = False,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    layer_scale_init: float | None = 1e-5,
) -> CasViT:
    """CAS-ViT over images or clips, dense (`reducer="none"`) or with few tokens, STViT-CAS-ViT by default.

    Args:
        video: whether the input are clips.
        num_classes: logits of the head.
        num_frames: frames T of a clip.
        image_size: pixels, one number for both sides or (H, W).
        in_channels: channels of a pixel.
        embed_dims: channels C of each level.
        depths: blocks of each level, the two of generation included.
        mlp_ratio: hidden channels of the MLPs over C.
        head_dim: channels of an attention head, in the blocks that generate, refine and recover.
        reducer: "none" (dense), or the name in `stvit_video.tokens.reducers.reducer_names` of what fills the slot in
            level 3.
        recover: whether one block more, at the end of level 3, brings the image tokens back.
        generate_at: number of blocks of level 3 before generation; where left out, the largest of
            `elastic_generate_at`, else 1.
        num_tokens: semantic tokens, a count or a grid (H, W) or (T, H, W); where left out, see `token_stride`.
        token_stride: positions of level 3 for each semantic token along every axis, where `num_tokens` is left out;
            4 makes 4 x 4 tokens of 224 x 224 pixels, and 4 x 4 x 4 of 16 frames of them, 2 makes 7 x 7.
        elastic: counts or grids of which training draws one a step; None = always `num_tokens`.
        elastic_generate_at: numbers of blocks of level 3 before generation of which training draws one a step; None =
            always `generate_at`.
        token_window: sizes of the windows of level 3 that are pooled each by itself, (h, w) or (t, h, w); None = the
            whole grid is one window.
        key_window: sizes of the larger windows whose tokens the pooled ones attend to; None = `token_window`.
        generate_shortcut: whether the first layer of generation has a residual around its attention.
        global_centers: whether there are learned cluster centres.
        distillation: whether there is a second head, that learns from a teacher; logits are the mean of both.
        features_only: whether the model is a backbone without head, that answers with the normed maps of its levels.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block.
        layer_scale_init: start value of the gains in the blocks that generate, refine and recover; None = no gains.

    Raises:
        ValueError: an option out of its range, or options that do not go together.

    Source: Zhang et al. 2024 (CAS-ViT, arXiv:2408.03703); STViT (arXiv:2303.08685); docs/develop/design.md, "CAS-ViT".
    Differs: in clips level 3 has one block more, attention among all semantic tokens, which mixes the time steps.
    """
    input_size = pair("image_size", image_size)
    if video:
        input_size = (whole_number("num_frames", num_frames), *input_size)
    dense = check_reducer(reducer, family="casvit") == "none"
    if dense:
        refuse_elastic_places(elastic_generate_at)
    places = read_places(generate_at, elastic_generate_at, default=DEFAULT_PLACE)
    image_grid, stride = level_grid(input_size, REDUCED_STAGE), whole_number("token_stride", token_stride)
    slot = make_slot(
        image_grid,
        dense=dense,
        num_tokens=num_tokens,
        default_tokens=tuple(-(-size // stride) for size in image_grid.sizes),
        window=token_window,
        key_window=key_window,
        layer_scale_init=layer_scale_init,
        attention_shortcut=generate_shortcut,
        global_centers=global_centers,
    )
    return CasViT(
        input_size=input_size,
        in_channels=in_channels,
        num_classes=num_classes,
        embed_dims=embed_dims,
        plan=casvit_plan(depths=depths, generate_at=places.deepest, reducer=reducer, joint=video, recover=recover),
        slot=slot,
        elastic=elastic,
        places=None if dense else places,
        mlp_ratio=mlp_ratio,
        head_dim=head_dim,
        distillation=distillation,
        features_only=features_only,
        drop_rate=drop_rate,
        drop_path_rate=drop_path_rate,
    )
