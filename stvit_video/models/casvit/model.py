"""CAS-ViT and STViT-CAS-ViT for images and video: convolutions and additive mixers per frame, one class."""

from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from typing import Any, cast

from torch import Tensor, nn

from stvit_video.layers.drop_path import drop_path_rates
from stvit_video.layers.numbers import share, whole_number, whole_numbers
from stvit_video.layers.pos_embed import resize_grid, sincos_table
from stvit_video.models.base import TokenModel
from stvit_video.models.build_blocks import Level, Maker, in_order, run_blocks
from stvit_video.models.casvit.blocks import Downsample, MixerBlock, Stem, init_convolution, on_frames
from stvit_video.models.casvit.levels import (
    attention_makers,
    check_pixels,
    check_pyramid,
    level_dims,
    level_grid,
    slot_level,
    tokens_per_level,
)
from stvit_video.models.checks import checked_clip
from stvit_video.tokens.generation_places import Places
from stvit_video.tokens.plan_text import num_layers, parse_plan
from stvit_video.tokens.plans import REDUCED_STAGE
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.tokens.slot import TokenSlot


class CasViT(TokenModel):
    """Pyramid of additive token mixers over images (2 axes) or clips (3 axes), dense or with semantic tokens.

    "mixer" blocks see each frame by itself; the tokens that a reducer leaves keep a grid, on which mixers and coarser
    levels run on as on a small image (each time step by itself). "refine" blocks mix all of these tokens. The
    temporal position is added just before the reducer and no earlier; a dense model knows no order of frames.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels, that learned tables are made for; any other size of
            at least 32 pixels a side works too.
        in_channels: channels of a pixel.
        num_classes: logits of the head.
        embed_dims: channels C of each level.
        plan: the blocks of each level, see `stvit_video.models.casvit.plan.casvit_plan`.
        slot: how the few tokens are made; None for dense models.
        elastic: counts or grids of tokens of which training draws one a step; None = always the slot's.
        places: where tokens are generated, and those places of which training draws one; None = where the plan says.
        mlp_ratio: hidden channels of the MLPs over C.
        head_dim: channels of an attention head, in the blocks that generate, refine and recover.
        distillation: whether there is a second head, that learns from a teacher; logits are the mean of both.
        features_only: whether the model is a backbone without head, that answers with the normed maps of its levels.
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block, growing linearly from 0 at the first.

    Raises:
        ValueError: a setting out of its range, or sizes, plan and slot that do not go together.

    Source: Zhang et al. 2024 (CAS-ViT, arXiv:2408.03703); STViT (arXiv:2303.08685); docs/develop/design.md, "CAS-ViT".
    """

    def __init__(
        self,
        *,
        input_size: tuple[int, ...],
        in_channels: int = 3,
        num_classes: int = 1000,
        embed_dims: Sequence[int],
        plan: str,
        slot: TokenSlot | None = None,
        elastic: Sequence[Any] | None = None,
        places: Places | None = None,
        mlp_ratio: float = 4.0,
        head_dim: int = 16,
        distillation: bool = False,
        features_only: bool = False,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__(elastic=elastic, places=places)
        self.input_size = whole_numbers("input_size", input_size)
        self.in_channels = whole_number("in_channels", in_channels)
        self.grid = level_grid(self.input_size, REDUCED_STAGE)
        self.plan = parse_plan(plan)
        dims = level_dims(embed_dims, num_levels=len(self.plan))
        self.stem = Stem(self.in_channels, dims[0])
        self._add_levels(dims, slot, mlp_ratio=mlp_ratio, head_dim=head_dim, drop_path_rate=drop_path_rate)
        self._add_heads(dims, num_classes=num_classes, distillation=distillation, features_only=features_only)
        self.head_drop = nn.Dropout(share("drop_rate", drop_rate))
        self.apply(init_convolution)
        for head in (self.head, self.dist_head):
            if isinstance(head, nn.Linear):
                nn.init.trunc_normal_(head.weight, std=0.02)
        self.finish_tokens()

    def _add_levels(
        self, dims: tuple[int, ...], slot: TokenSlot | None, *, mlp_ratio: float, head_dim: int, drop_path_rate: float
    ) -> None:
        """The levels, and the temporal position before the slot: as large as in a DeiT, and learned like there."""
        rates = iter(drop_path_rates(drop_path_rate, sum(num_layers(stages) for stages in self.plan)))
        self.slot_level = slot_level(self.plan)
        self.levels = nn.ModuleList()
        for i, (stages, dim) in enumerate(zip(self.plan, dims, strict=True)):
            makers: dict[str, Maker] = {"mixer": partial(MixerBlock, dim, mlp_ratio=mlp_ratio)}
            if slot is not None and i == self.slot_level:
                makers |= attention_makers(dim, slot, head_dim=head_dim, mlp_ratio=mlp_ratio)
            downsample = Downsample(dims[i - 1], dim) if i else nn.Identity()
            self.levels.append(Level(stages, makers, rates, downsample))
        self.has_time = slot is not None and len(self.input_size) == 3
        if self.has_time:
            self.temporal_pos_embed = nn.Parameter(sincos_table(self.input_size[:1], dims[self.slot_level]))

    @property
    def num_frame_blocks(self) -> int:
        """Blocks of the slot's level that see one frame at a time; of a dense model all."""
        order = cast(Level, self.levels[self.slot_level]).order
        return len(tuple(takewhile(lambda block: block[1] == "mixer", order)))

    def _add_heads(self, dims: tuple[int, ...], *, num_classes: int, distillation: bool, features_only: bool) -> None:
        """The norm and heads of a classifier, or the norms of a backbone."""
        self.features_only, self.distillation = features_only, distillation
        num_classes = whole_number("num_classes", num_classes)
        self.norm: nn.Module = nn.Identity() if features_only else nn.BatchNorm2d(dims[-1])
        self.head = nn.Identity() if features_only else nn.Linear(dims[-1], num_classes)
        self.dist_head: nn.Module = nn.Linear(dims[-1], num_classes) if distillation else nn.Identity()
        if features_only:
            if distillation:
                raise ValueError(
                    "distillation=True has no meaning with features_only=True, which has no head; drop one"
                )
            check_pyramid(self.plan)
            self.norms = nn.ModuleList(nn.BatchNorm2d(dim) for dim in dims)

    def encode_frames(self, clip: Tensor) -> Tensor:
        """Everything that can be computed for every frame alone, and kept: up to the slot of the semantic tokens.

        Args:
            clip: (B, in_channels, T, H, W) or, for an image model, (B, in_channels, H, W); floating point,
                normalised, of the weights' type (under autocast of any).

        Returns:
            Image tokens (B, *grid, C) of level 3, grid (T, H, W) or (H, W); of a dense model the last level's output.

        Raises:
            ValueError: the clip has another number of axes or channels, another type, or less than 32 pixels a side.
        """
        return self._encode(clip)[-1]

    def _encode(self, clip: Tensor) -> list[Tensor]:
        """The outputs of the levels before the slot's, then the tokens at the slot."""
        dtype = self.stem.conv1.weight.dtype
        clip = checked_clip(clip, num_axes=len(self.input_size), in_channels=self.in_channels, dtype=dtype)
        check_pixels(tuple(clip.shape[2:]))
        pixels = clip.to(dtype).movedim(1, -1).contiguous()  # (B, [T,] H, W, in_channels): convolutions 20 % faster
        x = on_frames(self.stem, pixels)  # (B, *grid, C)
        outputs = [x]
        for level in self.levels[: self.slot_level]:
            outputs.append(level(outputs[-1]))
        x = cast(Level, self.levels[self.slot_level]).downsample(outputs[-1])
        return [*outputs[1:], self._run_slot_level(x, slice(self.num_frame_blocks))]

    def _run_slot_level(self, x: Tensor, part: slice, shared: SharedTokens | None = None) -> Tensor:
        """Some of the blocks of the level with the slot."""
        level = cast(Level, self.levels[self.slot_level])
        return run_blocks(*in_order(level.blocks, level.order[part]), x, shared)

    def mix_frames(self, image_tokens: Tensor) -> Tensor:
        """Everything behind `encode_frames`, up to the last norm.

        Args:
            image_tokens: (B, *grid, C) as `encode_frames` gives them.

        Returns:
            (B, K, C) tokens of the last level.

        Raises:
            ValueError: the model is a backbone, which has no last norm.
        """
        if self.features_only:
            raise ValueError("a model with features_only=True has no features to classify; call forward_pyramid")
        return on_frames(self.norm, self._mix(image_tokens)[-1]).flatten(1, -2)

    def _mix(self, x: Tensor, shared: SharedTokens | None = None) -> list[Tensor]:
        """The outputs of the slot's level and of all behind it."""
        if self.has_time:
            x = x + resize_grid(self.temporal_pos_embed, (x.shape[1],))[:, :, None, None]
        outputs = [self._run_slot_level(x, slice(self.num_frame_blocks, None), shared)]
        for level in self.levels[self.slot_level + 1 :]:
            outputs.append(level(outputs[-1]))
        return outputs

    def forward_tokens(self, clip: Tensor) -> Tensor:
        """Tokens (B, K, C) of the last level, normed; of a dense model K = T * H/32 * W/32 (rounded up)."""
        return self.mix_frames(self.encode_frames(clip))

    def forward_features(self, clip: Tensor) -> Tensor:
        """Features (B, C) of a clip or image: the mean over the tokens of the last level."""
        return self.features_of(self.encode_frames(clip))

    def features_of(self, image_tokens: Tensor) -> Tensor:
        """Features (B, C) of what `encode_frames` gives."""
        return self.mix_frames(image_tokens).mean(1)

    def forward_head(self, features: Tensor) -> Tensor:
        """Features (B, C) -> logits (B, num_classes); with distillation the mean of both heads'."""
        if not self.distillation:
            return super().forward_head(features)
        of_labels, of_teacher = self.forward_heads(features)
        return (of_labels + of_teacher) / 2

    def forward_heads(self, features: Tensor) -> tuple[Tensor, ...]:
        """Features (B, C) -> logits (B, num_classes) of each head: that of the labels, and one that has a teacher."""
        features = self.head_drop(features)
        heads = (self.head, self.dist_head) if self.distillation else (self.head,)
        return tuple(head(features) for head in heads)

    def forward_both(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of each head, (B, num_classes) both: that of the labels, and that which learns from a teacher.

        Raises:
            ValueError: the model has one head.
        """
        if not self.distillation:
            raise ValueError("the model has no second head; build it with distillation=True")
        self.draw_tokens()
        of_labels, of_teacher = self.forward_heads(self.forward_features(clip))
        return of_labels, of_teacher

    def forward_pyramid(self, clip: Tensor, shared: SharedTokens | None = None) -> list[Tensor]:
        """The output of every level (B, C_i, *grid_i), channels first, grid (H, W) or (T, H, W).

        With `features_only` they are normed, each level by its own norm.

        Args:
            clip: as of `encode_frames`.
            shared: the semantic tokens that frames of a video share; None = each image has its own.

        Raises:
            ValueError: as `encode_frames`, semantic tokens without recovery, or none to share.
        """
        check_pyramid(self.plan)
        self.check_shared(clip, shared)
        *outputs, tokens = self._encode(clip)
        outputs += self._mix(tokens, shared)
        if self.features_only:
            outputs = [on_frames(norm, x) for norm, x in zip(self.norms, outputs, strict=True)]
        return [x.movedim(-1, 1) for x in outputs]

    def tokens_per_level(self) -> tuple[int, ...]:
        """Tokens that the last block of each level works on, at the size the model was built for."""
        return tokens_per_level(self.plan, level_grid(self.input_size, 0), self.token_grid)
