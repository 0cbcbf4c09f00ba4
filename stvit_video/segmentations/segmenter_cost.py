"""What one picture costs a segmenter: operations of the backbone and of the whole, and pictures a second."""

from typing import Any

from torch import Tensor

from stvit_video.dense.padding import own_padding
from stvit_video.dense.sliding_windows import window_places
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.inference.dense_cost import Answers, pictures_per_second
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter

__all__ = ["measure_segmenter_speed", "segmenter_cost"]


def segmenter_cost(segmenter: TrainedSegmenter, *, picture_size: tuple[int, int]) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of backbone and segmenter for one picture, parameters, pictures a second.

    A picture that is looked at in windows costs as much as all of them. An auxiliary head has no part in it, but for
    its parameters.

    Args:
        segmenter: to be measured.
        picture_size: height and width in pixels of the padded picture, see `commonest_size`.

    Returns:
        "picture_size", "num_windows" (1 = the whole picture), "gmacs_backbone" and "gmacs_segmenter" for that size,
        "num_parameters" of the segmenter, and "inference_pictures_per_second", see `measure_segmenter_speed`.
    """
    model = segmenter.model
    options, (height, width) = model.options, picture_size
    num_windows, part = 1, (height, width)
    if options.window is not None and options.pixels_between_windows is not None:
        stride = options.pixels_between_windows
        num_windows = len(window_places(picture_size, window=options.window, stride=stride))
        part = own_padding((min(height, options.window), min(width, options.window)))
    whole = Answers(model, lambda pictures: model.answers(pictures, auxiliary=False))
    return {
        "picture_size": [height, width],
        "num_windows": num_windows,
        "gmacs_backbone": num_windows * count_gmacs(model.backbone, (3, *part)),
        "gmacs_segmenter": num_windows * count_gmacs(whole, (3, *part)),
        "num_parameters": count_parameters(model),
        "inference_pictures_per_second": measure_segmenter_speed(segmenter, picture_size=picture_size),
    }


def measure_segmenter_speed(segmenter: TrainedSegmenter, *, picture_size: tuple[int, int]) -> float:
    """Pictures of a padded size (height, width) per second, labelled at that size, see `pictures_per_second`."""

    def segment(picture: Tensor) -> list[dict[str, Tensor]]:
        return segmenter.model.segment(picture, [picture_size])

    return pictures_per_second(segment, picture_size=picture_size, device=segmenter.device)
