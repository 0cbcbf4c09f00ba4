"""What one picture costs a segmenter: operations of the backbone and of the whole, and pictures a second."""

from typing import Any

from torch import Tensor

from stvit_video.dense.padding import own_padding
from stvit_video.dense.sliding_windows import window_places
from stvit_video.evaluation.cost.measure import count_parameters
from stvit_video.inference.dense_cost import Answers
from stvit_video.inference.shared_cost import frames_per_second, gmacs_per_frame
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter
from stvit_video.tokens.shared_tokens import SharedTokens

__all__ = ["measure_segmenter_speed", "segmenter_cost"]


def segmenter_cost(segmenter: TrainedSegmenter, *, picture_size: tuple[int, int]) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of backbone and segmenter for one picture, parameters, pictures a second.

    A picture that is looked at in windows costs as much as all of them. An auxiliary head has no part in it, but for
    its parameters.

    Args:
        segmenter: to be measured.
        picture_size: height and width in pixels of the padded picture, see `commonest_size`.

    Returns:
        "picture_size", "num_windows" (1 = the whole picture), "key_every", "gmacs_backbone" and "gmacs_segmenter" for
        that size, "num_parameters" of the segmenter, and "inference_pictures_per_second", see
        `measure_segmenter_speed`. With `key_every` above 1 work and speed are those of a frame, the mean over a key
        frame and those that share its tokens.
    """
    model = segmenter.model
    options, (height, width) = model.options, picture_size
    num_windows, part = 1, (height, width)
    if options.window is not None and options.pixels_between_windows is not None:
        stride = options.pixels_between_windows
        num_windows = len(window_places(picture_size, window=options.window, stride=stride))
        part = own_padding((min(height, options.window), min(width, options.window)))
    key_every = segmenter.key_every
    whole = Answers(model, lambda pictures: model.answers(pictures, auxiliary=False))
    of_backbone, of_segmenter = gmacs_per_frame(model.backbone, whole, picture_size=part, key_every=key_every)
    return {
        "picture_size": [height, width],
        "num_windows": num_windows,
        "key_every": key_every,
        "gmacs_backbone": num_windows * of_backbone,
        "gmacs_segmenter": num_windows * of_segmenter,
        "num_parameters": count_parameters(model),
        "inference_pictures_per_second": measure_segmenter_speed(segmenter, picture_size=picture_size),
    }


def measure_segmenter_speed(segmenter: TrainedSegmenter, *, picture_size: tuple[int, int]) -> float:
    """Pictures of a padded size (height, width) per second, labelled at that size, see `frames_per_second`."""

    def segment(frame: Tensor, shared: SharedTokens | None) -> list[dict[str, Tensor]]:
        return segmenter.model.segment(frame, [picture_size], shared=shared)

    return frames_per_second(segment, picture_size=picture_size, device=segmenter.device, key_every=segmenter.key_every)
