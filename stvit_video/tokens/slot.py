"""What a model says about its slot: how many tokens are made of which, and how the blocks around them are built."""

from dataclasses import dataclass

from stvit_video.tokens.grid import TokenGrid


@dataclass(frozen=True)
class TokenSlot:
    """How the few tokens of a model are made. A reducer takes from it what it needs.

    Args:
        token_grid: the grid of the tokens.
        image_grid: the grid of image tokens they come from.
        window: sizes of the windows that are reduced each by itself; None = the whole grid is one.
        key_window: sizes of the windows of keys; None = `window`.
        center_window: sizes of the windows of image tokens that layer 2 of generation sees; None = it sees all.
        recover_window: semantic tokens along each axis that recovery sees from a window; None = it sees all.
        layer_scale_init: start value of the gains in generation and recovery; None = no gains.
        attention_shortcut: whether layer 1 of generation has a residual connection around its attention.
        global_centers: whether the first generator of a model has learned centres.
    """

    token_grid: TokenGrid
    image_grid: TokenGrid
    window: tuple[int, ...] | None = None
    key_window: tuple[int, ...] | None = None
    center_window: tuple[int, ...] | None = None
    recover_window: tuple[int, ...] | None = None
    layer_scale_init: float | None = 1e-5
    attention_shortcut: bool = True
    global_centers: bool = True


@dataclass(frozen=True)
class BlockSettings:
    """The settings that all blocks with attention of one level share.

    Args:
        num_heads: attention heads.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether the attention projections have a bias.
        norm_eps: added to the variance by the norms.
    """

    num_heads: int
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    norm_eps: float = 1e-6
