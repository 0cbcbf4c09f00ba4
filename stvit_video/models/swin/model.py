"""Swin, Video Swin, STViT-Swin and STViT-R: one class, the number of axes and the plan make the difference."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.layers.drop_path import drop_path_rates
from stvit_video.layers.key_spans import PADDING_RULES
from stvit_video.layers.numbers import share, whole_number, whole_numbers
from stvit_video.layers.window_attention import WINDOW_RULES, WindowAttention
from stvit_video.models.base import TokenModel
from stvit_video.models.build_blocks import Level, slot_makers
from stvit_video.models.checks import checked_clip, image_token_grid
from stvit_video.models.init import init_linear
from stvit_video.models.swin.blocks import (
    NORM_EPS,
    ConvStem,
    NormedPatchEmbed,
    PatchMerging,
    merged_sizes,
    pad_to_patches,
    whole_patches,
    window_makers,
)
from stvit_video.tokens.generation_places import Places
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plan_text import Stage, num_layers, parse_plan
from stvit_video.tokens.plans import REDUCED_STAGE
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.windowed_semantic import WindowedTokenGenerator
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.tokens.slot import TokenSlot
from stvit_video.utils.compat import mark_static

# Buffers, places in WINDOW_RULES and PADDING_RULES: a checkpoint keeps the rules of the code that it came from.
WINDOW_RULE = "window_rule"
PADDING_RULE = "padding_rule"  # of models whose recovery has windows


class Swin(TokenModel):
    """Pyramid of attention in shifted windows over images (2 axes) or clips (3 axes), dense or with semantic tokens.

    Every level but the first merges 2x2 tokens into one of twice the channels, on the few tokens' grid as well;
    time is never merged.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels, that windows and tokens are laid out for; inputs of
            other sizes are padded to the windows, and with zeros behind their pixels to whole patches.
        patch_size: as many sizes as `input_size`.
        in_channels: channels of a pixel.
        num_classes: logits of the head.
        embed_dim: channels C of the first level.
        num_heads: attention heads of each level.
        plan: the blocks of each level, see `stvit_video.models.swin.plan.swin_plan`.
        window: tokens of a window along each axis; a level whose grid is smaller cuts it.
        slot: how the few tokens are made; None for dense models.
        elastic: counts or grids of tokens of which training draws one a step; None = always the slot's.
        places: where tokens are generated, and those places of which training draws one; None = where the plan says.
        conv_stem: whether two convolutions make the tokens, instead of a linear map of patches and a norm.
        features_only: whether the model gives the normed maps of all levels and has no head, for detection.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether attention projections have a bias.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block, growing linearly from 0 at the first.
        block_layer_scale: start value of the gains of window blocks, outside the level where tokens are made; None =
            no gains.
        refine_layer_scale: start value of the gains of blocks among the few tokens; None = no gains.

    Raises:
        ValueError: a setting out of its range, or sizes, plan, heads and slot that do not go together.

    Source: Liu et al. 2021 (Swin); Liu et al. 2022 (Video Swin); STViT and STViT-R (arXiv:2303.08685).
    """

    def __init__(
        self,
        *,
        input_size: tuple[int, ...],
        patch_size: tuple[int, ...],
        in_channels: int = 3,
        num_classes: int = 1000,
        embed_dim: int,
        num_heads: Sequence[int],
        plan: str,
        window: tuple[int, ...],
        slot: TokenSlot | None = None,
        elastic: Sequence[Any] | None = None,
        places: Places | None = None,
        conv_stem: bool = False,
        features_only: bool = False,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        block_layer_scale: float | None = None,
        refine_layer_scale: float | None = None,
    ) -> None:
        super().__init__(elastic=elastic, places=places)
        self.plan = parse_plan(plan)
        embed_dim, self.in_channels = whole_number("embed_dim", embed_dim), whole_number("in_channels", in_channels)
        patch_size = whole_numbers("patch_size", patch_size)
        self.dims = tuple(embed_dim * 2**i for i in range(len(self.plan)))
        input_size = whole_patches(whole_numbers("input_size", input_size), patch_size)
        self.grids = level_grids(image_token_grid(input_size, patch_size), len(self.plan))
        self.grid = slot.image_grid if slot else TokenGrid(self.grids[min(REDUCED_STAGE, len(self.grids) - 1)])
        stem = ConvStem if conv_stem else NormedPatchEmbed
        self.patch_embed = stem(patch_size, in_channels=self.in_channels, embed_dim=embed_dim)
        common: dict[str, Any] = {"mlp_ratio": mlp_ratio, "qkv_bias": qkv_bias}
        self.levels = nn.ModuleList()
        rates = iter(drop_path_rates(drop_path_rate, sum(num_layers(stages) for stages in self.plan)))
        for i, heads in enumerate(check_heads(num_heads, num_levels=len(self.plan))):
            common["num_heads"], dim = heads, self.dims[i]
            scale = None if makes_tokens(self.plan[i]) else block_layer_scale
            makers = window_makers(dim, grid=self.grids[i], window=window, layer_scale_init=scale, **common)
            if slot:
                makers |= slot_makers(dim, slot, norm_eps=NORM_EPS, refine_layer_scale=refine_layer_scale, **common)
            self.levels.append(Level(self.plan[i], makers, rates, PatchMerging(dim // 2) if i else nn.Identity()))
        self.register_buffer(WINDOW_RULE, torch.tensor(0))
        if slot and slot.recover_window is not None:
            self.register_buffer(PADDING_RULE, torch.tensor(0))
        self.register_load_state_dict_post_hook(use_rules)
        self._add_end(num_classes, drop_rate=drop_rate, features_only=features_only)
        self.finish_tokens()

    def _add_end(self, num_classes: int, *, drop_rate: float, features_only: bool) -> None:
        """Fresh weights; then norm and head, or a norm for each level."""
        self.apply(init_linear)
        self.features_only = features_only
        self.head_drop = nn.Dropout(share("drop_rate", drop_rate))
        head = nn.Linear(self.dims[-1], whole_number("num_classes", num_classes))
        nn.init.trunc_normal_(head.weight, std=0.02)
        nn.init.zeros_(head.bias)
        if features_only:
            self._check_maps()
            self.norms = nn.ModuleList(nn.LayerNorm(dim, eps=NORM_EPS) for dim in self.dims)
            self.head = nn.Identity()
        else:
            self.norm = nn.LayerNorm(self.dims[-1], eps=NORM_EPS)
            self.head = head

    def _check_maps(self) -> None:
        """Raise where the tokens of some level are not on the image's grid.

        Raises:
            ValueError: they are not.
        """
        if any(keeps_few(stages) for stages in self.plan):
            raise ValueError(
                "a model whose semantic tokens are not brought back has no maps of the image for features_only or "
                "forward_pyramid; use a stvit_r_ model, or a dense one"
            )

    def tokens_per_level(self) -> tuple[int, ...]:
        """Tokens that the last block of each level works on, for inputs of the size the model was built for."""
        sizes, counts = self.grids[0], []
        for i, stages in enumerate(self.plan):
            sizes = merged_sizes(sizes) if i else sizes
            if keeps_few(stages) and self.token_grid is not None:
                sizes = self.token_grid.sizes
            counts.append(prod(sizes))
        return tuple(counts)

    def _embed(self, clip: Tensor) -> Tensor:
        """Clips or images, checked, to tokens (B, *grid, C)."""
        dtype = next(self.patch_embed.parameters()).dtype
        clip = checked_clip(clip, num_axes=len(self.grid.sizes), in_channels=self.in_channels, dtype=dtype)
        if torch.compiler.is_compiling():  # symbolic sizes of windows would compile for many minutes
            for axis in range(2, clip.ndim):
                mark_static(clip, axis)
        clip = pad_to_patches(clip.to(dtype), self.patch_embed.patch_size)  # autocast itself leaves float64 as it is
        return self.patch_embed(clip)

    def forward_pyramid(self, clip: Tensor, shared: SharedTokens | None = None) -> list[Tensor]:
        """The maps of all levels.

        Args:
            clip: (B, in_channels, T, H, W) or, for an image model, (B, in_channels, H, W).
            shared: the semantic tokens that frames of a video share; None = each image has its own.

        Returns:
            (B, C_i, *grid_i) for every level, channels first; normed where the model was built with `features_only`.

        Raises:
            ValueError: the input does not fit, or semantic tokens take the place of the image's, or there are none to
                share.
        """
        self._check_maps()
        self.check_shared(clip, shared)
        x, maps = self._embed(clip), []
        for i, level in enumerate(self.levels):
            x = level(x, shared)
            maps.append((self.norms[i](x) if self.features_only else x).movedim(-1, 1))
        return maps

    def forward_tokens(self, clip: Tensor) -> Tensor:
        """The last level's tokens (B, N, C) of a clip or image, normed: image tokens, or semantic ones (B, K, C)."""
        x = self._embed(clip)
        for level in self.levels:
            x = level(x)
        norm = self.norms[-1] if self.features_only else self.norm
        return norm(x).flatten(1, -2)

    def forward_features(self, clip: Tensor) -> Tensor:
        """Features (B, C) of a clip or image: the mean of the last level's tokens."""
        return self.forward_tokens(clip).mean(1)


def use_rules(model: nn.Module, _keys: Any) -> None:
    """Let the windows of a model follow the rules that its weights came with."""
    rules = dict(model.named_buffers(recurse=False))
    for module in model.modules():
        if isinstance(module, WindowAttention):
            module.rule = WINDOW_RULES[int(rules[WINDOW_RULE])]
        elif isinstance(module, (WindowedTokenGenerator, TokenRecovery)) and PADDING_RULE in rules:
            module.padding_rule = PADDING_RULES[int(rules[PADDING_RULE])]


def check_heads(num_heads: Sequence[int], *, num_levels: int) -> tuple[int, ...]:
    """The attention heads of each level.

    Raises:
        ValueError: no list of whole numbers, or another number of them than levels.
    """
    heads = whole_numbers("num_heads", num_heads)
    if len(heads) != num_levels:
        raise ValueError(f"num_heads={heads} does not fit {num_levels} levels; give one number for each")
    return heads


def level_grids(first: TokenGrid, num_levels: int) -> tuple[tuple[int, ...], ...]:
    """The grid of image tokens of each level."""
    grids = [first.sizes]
    while len(grids) < num_levels:
        grids.append(merged_sizes(grids[-1]))
    return tuple(grids)


def makes_tokens(stages: tuple[Stage, ...]) -> bool:
    """Whether a level turns image tokens into few."""
    return any(stage.kind in REDUCERS for stage in stages)


def keeps_few(stages: tuple[Stage, ...]) -> bool:
    """Whether a level turns image tokens into few and leaves it at that."""
    return makes_tokens(stages) and stages[-1].kind != "recover"
