"""What one picture costs a detector: operations of the backbone and of the whole, and pictures a second."""

import time
from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.data.transforms.picture_sizes import PictureSizes, padded_size
from stvit_video.dense.detector import Detector
from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters

__all__ = ["commonest_size", "detector_cost", "measure_detector_speed"]

REPEATS = 3


class _Answers(nn.Module):
    """What a detector answers, as tensors alone, which is what can be counted."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pictures: Tensor) -> list[Tensor]:
        return _tensors(self.detector.outputs(pictures, [(pictures.shape[-2], pictures.shape[-1])] * len(pictures)))


def commonest_size(originals: Iterable[tuple[int, int]], sizes: PictureSizes) -> tuple[int, int]:
    """The padded height and width that most pictures have when each is a batch by itself; of equally many the largest.

    Args:
        originals: height and width of each picture, at least one.
        sizes: what the pictures are resized to.
    """
    counts = Counter(padded_size([sizes.size_of(*original)]) for original in originals)
    return max(counts, key=lambda size: (counts[size], size[0] * size[1], size))


def detector_cost(detector: TrainedDetector, *, picture_size: tuple[int, int]) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of backbone and detector for one picture, parameters, pictures a second.

    The heads behind proposals are counted for as many as an empty picture has.

    Args:
        detector: to be measured.
        picture_size: height and width in pixels of the padded picture, see `commonest_size`.

    Returns:
        "picture_size", "gmacs_backbone" and "gmacs_detector" for that size, "num_parameters" of the detector, and
        "inference_pictures_per_second", see `measure_detector_speed`.
    """
    height, width = picture_size
    whole = _Answers(detector.model)
    return {
        "picture_size": [height, width],
        "gmacs_backbone": count_gmacs(detector.model.backbone, (3, height, width)),
        "gmacs_detector": count_gmacs(whole, (3, height, width)),
        "num_parameters": count_parameters(detector.model),
        "inference_pictures_per_second": measure_detector_speed(detector, picture_size=picture_size),
    }


def measure_detector_speed(detector: TrainedDetector, *, picture_size: tuple[int, int]) -> float:
    """Pictures of a padded size (height, width) per second, one at a time in float32, the median of three."""
    model, device = _Answers(detector.model), detector.device
    picture = torch.zeros(1, 3, *picture_size, device=device)
    seconds = []
    with torch.inference_mode():
        for _ in range(REPEATS + 1):
            start = time.perf_counter()
            model(picture)
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
