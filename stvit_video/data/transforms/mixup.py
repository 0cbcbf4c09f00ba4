"""Mixup and cutmix of a batch of clips, with soft targets; on whatever device the batch is."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F


class Mix(NamedTuple):
    """How clip i is mixed with its partner, clip B - 1 - i; the same for a whole batch.

    Attributes:
        share: what stays of clip i, and of its label, in 0..1.
        box: top, bottom, left, right in pixels of what cutmix takes from the partner; None = mixup.
    """

    share: float
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """Draws, for each batch, whether and how it is mixed.

    Attributes:
        mixup_alpha: of the Beta(alpha, alpha) that mixup's share is drawn from; 0 = no mixup.
        cutmix_alpha: likewise of cutmix; 0 = no cutmix.
        probability: that a batch is mixed.
        cutmix_share: share of the mixed batches that cutmix gets, where both are on.

    Source: Zhang et al. 2018 (arXiv:1710.09412), Yun et al. 2019 (arXiv:1905.04899); one draw a batch and partners in
        reverse order as in timm's `Mixup(mode="batch")`.
    Differs: a batch of odd size is allowed; its middle clip is its own partner.
    """

    mixup_alpha: float = 0.8
    cutmix_alpha: float = 1.0
    probability: float = 1.0
    cutmix_share: float = 0.5

    def draw(
        self,
        height: int,
        width: int,
        *,
        generator: torch.Generator | None = None,
        shared: torch.Generator | None = None,
    ) -> Mix | None:
        """Draw for one batch; None = leave it as it is.

        Args:
            height: of the clips, in pixels.
            width: likewise.
            generator: source of the draw, on the CPU; None = torch's own.
            shared: source of whether the batch is mixed at all, in the same state in all processes, which otherwise
                would wait for one another's share of metrics that not all of them have; None = generator.
        """
        mixed, chosen = torch.rand(2, generator=generator).tolist()
        if shared is not None:
            mixed = float(torch.rand((), generator=shared))
        if mixed >= self.probability:
            return None
        cutmix = self.mixup_alpha == 0 or (self.cutmix_alpha > 0 and chosen < self.cutmix_share)
        alpha = self.cutmix_alpha if cutmix else self.mixup_alpha
        seed = int(torch.randint(2**62, (), generator=generator))
        share = float(np.random.default_rng(seed).beta(alpha, alpha))  # torch has no Beta that takes a generator
        if not cutmix:
            return Mix(share)
        row, column = torch.rand(2, generator=generator).tolist()
        box = cutmix_box(height, width, share=share, centre=(int(row * height), int(column * width)))
        top, bottom, left, right = box
        return Mix(1 - (bottom - top) * (right - left) / (height * width), box)


def cutmix_box(height: int, width: int, *, share: float, centre: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box of the frame's shape and 1 - share of its area about a centre, as far as it lies inside.

    Args:
        height: of the frame, in pixels.
        width: likewise.
        share: what would remain of the frame if the whole box were inside.
        centre: row and column.

    Returns:
        top, bottom, left, right in pixels; bottom and right are the first ones outside.
    """
    side = math.sqrt(1 - share)
    box_height, box_width = int(height * side), int(width * side)
    top, left = centre[0] - box_height // 2, centre[1] - box_width // 2
    bottom, right = top + box_height, left + box_width
    return max(top, 0), min(bottom, height), max(left, 0), min(right, width)


def mix_clips(clips: torch.Tensor, mix: Mix) -> torch.Tensor:
    """Mix normalised clips (B, C, T, H, W), every frame alike; the clips given stay as they are."""
    partners = clips.flip(0)
    if mix.box is None:
        return torch.lerp(partners, clips, mix.share)
    top, bottom, left, right = mix.box
    clips = clips.clone()
    clips[..., top:bottom, left:right] = partners[..., top:bottom, left:right]
    return clips


def mix_targets(labels: torch.Tensor, mix: Mix, *, num_classes: int) -> torch.Tensor:
    """Shares of the classes in each mixed clip.

    Args:
        labels: (B,) int64 class indices; with several labels a clip (B, num_classes), 1 = has the label, else 0.
        mix: of the batch.
        num_classes: number of classes.

    Returns:
        (B, num_classes) float32; rows sum to 1 where each clip has one label.
    """
    own = labels.float() if labels.ndim == 2 else F.one_hot(labels, num_classes).float()  # (B, num_classes)
    return mix.share * own + (1 - mix.share) * own.flip(0)


def dominant_labels(labels: torch.Tensor, mix: Mix) -> torch.Tensor:
    """Of each mixed clip, the label with the larger share (its own, where they are equal): (B,) -> (B,).

    Raises:
        ValueError: the labels are not (B,): of clips with several labels each, none is dominant.
    """
    if labels.ndim != 1:
        raise ValueError(f"labels of shape {tuple(labels.shape)} have no dominant one; give one a clip, (B,)")
    return labels if mix.share >= 0.5 else labels.flip(0)
