"""DeiT and STViT-DeiT for images and video: one class, the number of axes makes the difference."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby, takewhile
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.layers.block import TransformerBlock
from stvit_video.layers.drop_path import drop_path_rates
from stvit_video.layers.numbers import share, whole_number, whole_numbers
from stvit_video.layers.patch_embed import PatchEmbed
from stvit_video.layers.pos_embed import new_table, resize_grid, sincos_table
from stvit_video.models.activation_checkpointing import run_block
from stvit_video.models.base import TokenModel
from stvit_video.models.build_blocks import Maker, build_blocks, in_order, run_blocks, slot_makers
from stvit_video.models.checks import check_pool, checked_clip, image_token_grid
from stvit_video.models.init import init_linear
from stvit_video.tokens.generation_places import Places, run_order
from stvit_video.tokens.plan_text import block_kinds, num_layers, parse_level
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.slot import TokenSlot


class DeiT(TokenModel):
    """Vision transformer over images (2 axes) or clips (3 axes), dense or with semantic tokens.

    "frame" blocks see the patches of one tubelet step at a time, "joint" blocks all of them; a reducer replaces the
    image tokens by few tokens, "refine" blocks run among these, "recover" blocks bring the image tokens back. With
    frame blocks the temporal position is added behind the last of them and no earlier, so what they compute for a step
    depends on the frames of that step alone.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels, that the learned positions are made for;
            positions for other sizes are interpolated.
        patch_size: as many sizes as `input_size`.
        in_channels: channels of a pixel.
        num_classes: logits of the head.
        embed_dim: channels C.
        num_heads: attention heads.
        plan: the plan of blocks, see `stvit_video.tokens.plan_text`.
        slot: how the few tokens are made; None for dense models.
        elastic: counts or grids of tokens of which training draws one a step; None = always the slot's.
        places: where tokens are generated, and those places of which training draws one; None = where the plan says.
        pool: "cls" (a class token) or "mean" (over the tokens left at the end).
        norm_after_pool: whether the last norm is that of the mean, not of the tokens.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether attention projections have a bias.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block, growing linearly from 0 at the first.

    Raises:
        ValueError: a setting out of its range, or sizes, plan, pooling and slot that do not go together.

    Source: Touvron et al. 2021 (DeiT); STViT (arXiv:2303.08685); weight names as in timm's VisionTransformer.
    """

    def __init__(
        self,
        *,
        input_size: tuple[int, ...],
        patch_size: tuple[int, ...],
        in_channels: int = 3,
        num_classes: int = 1000,
        embed_dim: int,
        num_heads: int,
        plan: str,
        slot: TokenSlot | None = None,
        elastic: Sequence[Any] | None = None,
        places: Places | None = None,
        pool: str = "cls",
        norm_after_pool: bool = False,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__(elastic=elastic, places=places)
        stages = parse_level(plan)
        check_pool(pool, semantic=slot is not None)
        embed_dim, num_heads = whole_number("embed_dim", embed_dim), whole_number("num_heads", num_heads)
        self.in_channels, self.num_class_tokens = whole_number("in_channels", in_channels), int(pool == "cls")
        patch_size = whole_numbers("patch_size", patch_size)
        self.patch_embed = PatchEmbed(patch_size, in_channels=self.in_channels, embed_dim=embed_dim)
        self.grid = image_token_grid(whole_numbers("input_size", input_size), patch_size)
        self.kinds = block_kinds(stages)
        self.order = run_order(self.kinds)
        self._add_positions(embed_dim, joint_later=len(stages) > 1)
        common: dict[str, Any] = {"num_heads": num_heads, "mlp_ratio": mlp_ratio, "qkv_bias": qkv_bias}
        block = partial(TransformerBlock, embed_dim, **common)
        makers: dict[str, Maker] = {
            "frame": block,
            "joint": block,
            **(slot_makers(embed_dim, slot, **common) if slot else {}),
        }
        if slot is not None and not set(self.kinds) & set(REDUCERS):
            raise ValueError(f"plan {plan!r} makes no few tokens; leave slot out, or add semantic*2 refine")
        self.blocks = build_blocks(stages, makers, iter(drop_path_rates(drop_path_rate, num_layers(stages))))
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.norm_after_pool = norm_after_pool
        self.head_drop = nn.Dropout(share("drop_rate", drop_rate))
        self.head = nn.Linear(embed_dim, whole_number("num_classes", num_classes))
        self.apply(init_linear)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        self.finish_tokens()

    def _add_positions(self, embed_dim: int, *, joint_later: bool) -> None:
        """Position tables: over a frame's grid where blocks run per frame, else over the whole clip's.

        They are learned, and start as sines and cosines of the tokens' own magnitude: drawn with deviation 0.02
        they drown in the patches, and what only place and motion together tell is learned late or never.
        """
        self.position_sizes = self.grid.sizes[-2:] if self.num_frame_blocks else self.grid.sizes
        if self.num_class_tokens:
            self.cls_token = new_table(1, 1, embed_dim)
        positions = sincos_table(self.position_sizes, embed_dim).flatten(1, -2)
        self.pos_embed = nn.Parameter(F.pad(positions, (0, 0, self.num_class_tokens, 0)))
        self.has_time = bool(self.num_frame_blocks) and joint_later and len(self.grid.sizes) == 3
        if self.has_time:
            self.temporal_pos_embed = nn.Parameter(sincos_table(self.grid.sizes[:1], embed_dim))

    @property
    def num_frame_blocks(self) -> int:
        """Blocks that see one tubelet step at a time: those before generation, or of a dense model the first."""
        return len(tuple(takewhile(lambda block: block[1] == "frame", self.order)))

    def tokens_per_level(self) -> tuple[int, ...]:
        """Patches, or few tokens, of every run of blocks with equally many, at the size the model was built for."""
        counts = [self.grid.count]
        for kind in self.kinds:
            if kind in REDUCERS and self.token_grid is not None:
                counts.append(self.token_grid.count)
            elif kind == "recover":
                counts.append(self.grid.count)
        return tuple(count for count, _ in groupby(counts))

    def encode_frames(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Patch embedding and frame blocks: what can be computed for every tubelet step alone, and kept.

        Args:
            clip: (B, in_channels, T, H, W) or, for an image model, (B, in_channels, H, W); floating point,
                normalised, of the weights' type (under autocast of any).

        Returns:
            Image tokens (B, *grid, C), grid (T, H, W) or (H, W), and class tokens (B, M, C): one for each step
            of a clip (M = T, or 1 for an image) with pool "cls", so that a still clip weighs them as an image
            does; else M = 0.

        Raises:
            ValueError: the clip has another number of axes or channels, another type, or a size that patches don't
                divide.
        """
        dtype = self.patch_embed.proj.weight.dtype
        clip = checked_clip(clip, num_axes=len(self.grid.sizes), in_channels=self.in_channels, dtype=dtype)
        x = self.patch_embed(clip.to(dtype))  # (B, *grid, C); autocast itself leaves float64 as it is
        grid = tuple(x.shape[1:-1])
        num_steps = grid[0] if len(grid) == 3 else 1
        num_sequences = num_steps if self.num_frame_blocks else 1
        x = x.flatten(1, -2).unflatten(1, (num_sequences, -1)).flatten(0, 1)  # (B * num_sequences, N', C)
        num_class_tokens = self.num_class_tokens * num_steps // num_sequences
        x = self._add_position(x, grid, num_class_tokens=num_class_tokens)
        for block in self.blocks[: self.num_frame_blocks]:
            x = run_block(block, x)
        class_tokens, image_tokens = x.unflatten(0, (-1, num_sequences)).tensor_split([num_class_tokens], dim=2)
        return image_tokens.flatten(1, 2).unflatten(1, grid), class_tokens.flatten(1, 2)

    def _add_position(self, x: Tensor, grid: tuple[int, ...], *, num_class_tokens: int) -> Tensor:
        """(B, N, C) patches -> (B, num_class_tokens + N, C) with positions, behind copies of the class token."""
        class_position, position = self.pos_embed.tensor_split([self.num_class_tokens], dim=1)
        sizes = grid[-len(self.position_sizes) :]
        x = x + resize_grid(position.unflatten(1, self.position_sizes), sizes).flatten(1, -2)
        if not num_class_tokens:
            return x
        return torch.cat([(self.cls_token + class_position).expand(x.shape[0], num_class_tokens, -1), x], dim=1)

    def mix_frames(self, image_tokens: Tensor, class_tokens: Tensor) -> Tensor:
        """Everything behind `encode_frames`, up to the last norm (which is left to the mean with `norm_after_pool`).

        Args:
            image_tokens: (B, *grid, C).
            class_tokens: (B, M, C), M may be 0.

        Returns:
            (B, K, C) semantic tokens, or (B, M + N, C) class and image tokens of a dense model.
        """
        if self.has_time:
            steps = image_tokens.shape[1]
            image_tokens = image_tokens + resize_grid(self.temporal_pos_embed, (steps,))[:, :, None, None]
        blocks, kinds = in_order(self.blocks, self.order[self.num_frame_blocks :])
        if self.token_grid is not None:
            x = run_blocks(blocks, kinds, image_tokens).flatten(1, -2)  # (B, K, C)
        else:
            x = torch.cat([class_tokens, image_tokens.flatten(1, -2)], dim=1)
            for block in blocks:
                x = run_block(block, x)
        return x if self.norm_after_pool else self.norm(x)

    def forward_tokens(self, clip: Tensor) -> Tensor:
        """Semantic tokens (B, K, C) of a clip, normed; of a dense model its class and image tokens."""
        tokens = self.mix_frames(*self.encode_frames(clip))
        return self.norm(tokens) if self.norm_after_pool else tokens

    def forward_features(self, clip: Tensor) -> Tensor:
        """Features (B, C) of a clip: the mean of its class tokens (of an image: the one), or of all its tokens."""
        return self.features_of(*self.encode_frames(clip))

    def features_of(self, image_tokens: Tensor, class_tokens: Tensor | None = None) -> Tensor:
        """Features (B, C) of what `encode_frames` gives; without class tokens where it gives none."""
        if class_tokens is None:
            class_tokens = image_tokens.flatten(1, -2)[:, :0]  # (B, 0, C)
        return self.features_of_tokens(self.mix_frames(image_tokens, class_tokens), class_tokens.shape[1])

    def features_of_tokens(self, tokens: Tensor, num_class_tokens: int) -> Tensor:
        """Features (B, C) of what `mix_frames` gives, (B, M + N, C): the mean of the M class tokens; of all if none."""
        features = tokens[:, : num_class_tokens or None].mean(1)
        return self.norm(features) if self.norm_after_pool else features
