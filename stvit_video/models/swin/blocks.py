"""What a Swin has beside its attention: two ways into tokens, the merging of patches, and its makers of blocks."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.layers.block import TransformerBlock
from stvit_video.layers.patch_embed import PatchEmbed, check_patches
from stvit_video.layers.window_attention import WindowAttention
from stvit_video.layers.windows import pad_grid
from stvit_video.models.build_blocks import Maker

NORM_EPS = 1e-5  # of every LayerNorm in a Swin
STEM_PATCH = (4, 4)  # pixels to a token of two convolutions of stride 2


class NormedPatchEmbed(PatchEmbed):
    """PatchEmbed with a LayerNorm behind it. The settings are those of `PatchEmbed`.

    Source: Liu et al. 2021 (Swin), section 3.1; weight names as in timm.
    """

    def __init__(self, patch_size: tuple[int, ...], *, in_channels: int = 3, embed_dim: int) -> None:
        super().__init__(patch_size, in_channels=in_channels, embed_dim=embed_dim)
        self.norm = nn.LayerNorm(embed_dim, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, *sizes) -> (B, *grid, C)."""
        return self.norm(super().forward(x))


class ConvStem(nn.Module):
    """Two 3x3 convolutions of stride 2, each with batch norm and hard-swish; the first also merges a tubelet's frames.

    Args:
        patch_size: (4, 4), or (tubelet, 4, 4) for clips.
        in_channels: channels of a pixel.
        embed_dim: channels C of a token; the first convolution has half as many.

    Raises:
        ValueError: another patch size in space, or fewer than 2 channels.

    Source: STViT-R for Swin, as released (docs/develop/design.md, "STViT, STViT-R and video"). Clips are our extension:
        a first convolution over time whose kernel and stride are the tubelet.
    """

    norms_behind: ClassVar[Mapping[str, str]] = {"norm1": "conv1", "norm2": "conv2"}

    def __init__(self, patch_size: tuple[int, ...], *, in_channels: int = 3, embed_dim: int) -> None:
        super().__init__()
        if patch_size[-2:] != STEM_PATCH or embed_dim < 2:
            raise ValueError(
                f"conv_stem with patch_size={patch_size[-2:]} and embed_dim={embed_dim} is not possible; its two "
                f"convolutions of stride 2 take patch_size=4 and at least 2 channels"
            )
        self.patch_size = tuple(patch_size)
        tubelet = self.patch_size[:-2]
        conv: Any = nn.Conv3d if tubelet else nn.Conv2d
        norm: Any = nn.BatchNorm3d if tubelet else nn.BatchNorm2d
        hidden, still = embed_dim // 2, (1,) * len(tubelet)
        space: dict[str, Any] = {"padding": (*(0 for _ in tubelet), 1, 1), "bias": False}
        self.conv1 = conv(in_channels, hidden, (*tubelet, 3, 3), stride=(*tubelet, 2, 2), **space)
        self.norm1 = norm(hidden)
        self.conv2 = conv(hidden, embed_dim, (*still, 3, 3), stride=(*still, 2, 2), **space)
        self.norm2 = norm(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, *sizes) -> (B, *grid, C).

        Raises:
            ValueError: a size is no multiple of its patch size.
        """
        check_patches(tuple(x.shape[2:]), self.patch_size)
        x = F.hardswish(self.norm1(self.conv1(x)))
        x = F.hardswish(self.norm2(self.conv2(x)))
        return x.movedim(1, -1)  # (B, *grid, C)


def whole_patches(sizes: tuple[int, ...], patch_size: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width up to the next whole patch, where there is one patch at least; time stays."""
    axes = zip(sizes[-2:], patch_size[-2:], strict=False)
    return (*sizes[:-2], *(-(-size // patch) * patch if 1 <= patch <= size else size for size, patch in axes))


def pad_to_patches(clip: Tensor, patch_size: tuple[int, ...]) -> Tensor:
    """Zeros below and to the right, up to whole patches: (B, in_channels, [T,] H, W), as `whole_patches` says."""
    given = tuple(clip.shape[2:])
    (height, width), (more_height, more_width) = given[-2:], whole_patches(given, patch_size)[-2:]
    if (height, width) == (more_height, more_width):
        return clip
    return F.pad(clip, (0, more_width - width, 0, more_height - height))


def merged_sizes(grid: tuple[int, ...]) -> tuple[int, ...]:
    """The grid that `PatchMerging` leaves: (H, W) -> half of both, rounded up; time stays."""
    return (*grid[:-2], *(-(-size // 2) for size in grid[-2:]))


class PatchMerging(nn.Module):
    """2x2 neighbouring tokens to one of twice the channels; zeros behind the end of an odd H or W.

    Args:
        dim: channels C.

    Source: Liu et al. 2021 (Swin), section 3.1; neighbours in the order of its released code: the two of a column
        follow each other.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim, eps=NORM_EPS)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, [T,] H, W, C) -> (B, [T,] ceil(H / 2), ceil(W / 2), 2 * C)."""
        x = pad_grid(x, (*(1 for _ in x.shape[1:-3]), 2, 2))
        neighbours = [x[..., row::2, column::2, :] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(neighbours, dim=-1)))


def window_makers(
    dim: int,
    *,
    grid: tuple[int, ...],
    window: tuple[int, ...],
    num_heads: int,
    mlp_ratio: float,
    qkv_bias: bool,
    layer_scale_init: float | None,
) -> dict[str, Maker]:
    """What builds the blocks of attention in windows, by kind, see `stvit_video.models.build_blocks.build_blocks`.

    Args:
        dim: channels C.
        grid: of the level at the size the model is built for; a window that is larger is cut to it.
        window: cells of a window along each axis.
        num_heads: attention heads.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether the attention projections have a bias.
        layer_scale_init: start value of the gains; None = no gains.
    """

    def make(*, shifted: bool, drop_path_rate: float) -> TransformerBlock:
        attention = WindowAttention(
            dim,
            num_heads=num_heads,
            window=window
            if len(window) == 3
            else cut_window(window, grid),  # tables of clips are whole, as in torchvision
            full_window=window,
            grid_window=cut_window(window, grid),
            shifted=shifted,
            qkv_bias=qkv_bias,
        )
        return TransformerBlock(
            dim,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            drop_path_rate=drop_path_rate,
            layer_scale_init=layer_scale_init,
            norm_eps=NORM_EPS,
            attention=attention,
        )

    return {"window": partial(make, shifted=False), "shifted": partial(make, shifted=True)}


def cut_window(window: tuple[int, ...], grid: tuple[int, ...]) -> tuple[int, ...]:
    """The window, nowhere larger than the grid."""
    return tuple(min(w, g) for w, g in zip(window, grid, strict=True))
