"""What a picture costs a detector or segmenter: the size that is measured, and how fast pictures are."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.data.transforms.picture_sizes import PictureSizes, padded_size

__all__ = ["Answers", "commonest_size", "pictures_per_second"]

REPEATS = 3


class Answers(nn.Module):
    """What a model answers to pictures, as tensors alone, which is what can be counted.

    Args:
        model: that answers.
        answer: gives its answers to pictures (B, 3, H, W): tensors in nested lists and dictionaries.
    """

    def __init__(self, model: nn.Module, answer: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.model, self.answer = model, answer

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """The tensors of the answers to pictures (B, 3, H, W)."""
        return _tensors(self.answer(pictures))


def commonest_size(originals: Iterable[tuple[int, int]], sizes: PictureSizes) -> tuple[int, int]:
    """The padded height and width that most pictures have when each is a batch by itself; of equally many the largest.

    Args:
        originals: height and width of each picture, at least one.
        sizes: what the pictures are resized to.
    """
    counts = Counter(padded_size([sizes.size_of(*original)]) for original in originals)
    return max(counts, key=lambda size: (counts[size], size[0] * size[1], size))


def pictures_per_second(
    answer: Callable[[Tensor], Any], *, picture_size: tuple[int, int], device: torch.device
) -> float:
    """Pictures of a size (height, width) per second, one at a time in float32, the median of three.

    Args:
        answer: takes a picture (1, 3, H, W).
        picture_size: in pixels.
        device: where the model is.
    """
    picture = torch.zeros(1, 3, *picture_size, device=device)
    seconds = []
    with torch.inference_mode():
        for _ in range(REPEATS + 1):
            start = time.perf_counter()
            answer(picture)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - start)
    return 1.0 / median(seconds[1:])


def _tensors(values: Any) -> list[Tensor]:
    """The tensors in nested lists and dictionaries."""
    if isinstance(values, Tensor):
        return [values]
    parts = values.values() if isinstance(values, dict) else values if isinstance(values, list | tuple) else ()
    return [tensor for part in parts for tensor in _tensors(part)]
