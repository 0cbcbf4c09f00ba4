"""Logits of maps in other sizes, and the label that wins at every pixel."""

import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.dense.anchors import Size

MOST_VALUES = 2**23  # logits of the original size at a time: 32 MiB, which the CPU takes from memory that it has


def resized_logits(logits: Tensor, size: Size) -> Tensor:
    """Logits (B, K, h, w) -> (B, K, *size), bilinearly, with corners not aligned."""
    if logits.shape[-2:] == size:
        return logits
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def label_pixels(logits: Tensor, size: Size, *, most_values: int = MOST_VALUES) -> dict[str, Tensor]:
    """The class with the largest logit at every pixel of another size, and its probability.

    Only some classes are resized at a time, so that a large picture with many classes fits in memory.

    Args:
        logits: (K, h, w) of one picture, K at most 255.
        size: height and width of the maps.
        most_values: logits that are resized at a time; at least one class is.

    Returns:
        "labels" (height, width) uint8 and "scores" (height, width) float32, the share of that class by softmax.
    """
    step = max(1, most_values // (size[0] * size[1]))
    best = torch.full(size, -torch.inf, device=logits.device)
    total, labels = torch.zeros_like(best), torch.zeros(size, dtype=torch.uint8, device=logits.device)
    for start in range(0, len(logits), step):
        part = resized_logits(logits[None, start : start + step].float(), size)[0]  # (step, height, width)
        largest, places = part.max(dim=0)
        labels = torch.where(largest > best, (places + start).to(torch.uint8), labels)
        raised = torch.maximum(best, largest)
        total = total * (best - raised).exp() + part.sub(raised).exp_().sum(dim=0)
        best = raised
    return {"labels": labels, "scores": 1 / total}
