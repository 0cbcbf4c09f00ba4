"""What one picture costs a detector: operations of the backbone and of the whole, and pictures a second."""

from typing import Any

from torch import Tensor

from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.cost.measure import count_parameters
from stvit_video.inference.dense_cost import Answers
from stvit_video.inference.shared_cost import frames_per_second, gmacs_per_frame
from stvit_video.tokens.shared_tokens import SharedTokens

__all__ = ["detector_cost", "measure_detector_speed"]


def detector_cost(detector: TrainedDetector, *, picture_size: tuple[int, int]) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of backbone and detector for one picture, parameters, pictures a second.

    The heads behind proposals are counted for as many as an empty picture has.

    Args:
        detector: to be measured.
        picture_size: height and width in pixels of the padded picture, see `commonest_size`.

    Returns:
        "picture_size", "key_every", "gmacs_backbone" and "gmacs_detector" for that size, "num_parameters" of the
        detector, and "inference_pictures_per_second", see `measure_detector_speed`. With `key_every` above 1 work and
        speed are those of a frame, the mean over a key frame and those that share its tokens.
    """
    height, width = picture_size
    model, key_every = detector.model, detector.key_every
    of_backbone, of_detector = gmacs_per_frame(
        model.backbone, _answers(detector), picture_size=picture_size, key_every=key_every
    )
    return {
        "picture_size": [height, width],
        "key_every": key_every,
        "gmacs_backbone": of_backbone,
        "gmacs_detector": of_detector,
        "num_parameters": count_parameters(model),
        "inference_pictures_per_second": measure_detector_speed(detector, picture_size=picture_size),
    }


def measure_detector_speed(detector: TrainedDetector, *, picture_size: tuple[int, int]) -> float:
    """Pictures of a padded size (height, width) per second, see `frames_per_second`."""
    return frames_per_second(
        lambda frame, shared: _outputs(detector, frame, shared),
        picture_size=picture_size,
        device=detector.device,
        key_every=detector.key_every,
    )


def _answers(detector: TrainedDetector) -> Answers:
    return Answers(detector.model, lambda pictures: _outputs(detector, pictures))


def _outputs(detector: TrainedDetector, pictures: Tensor, shared: SharedTokens | None = None) -> dict[str, Any]:
    sizes = [(pictures.shape[-2], pictures.shape[-1])] * len(pictures)
    return detector.model.outputs(pictures, sizes, shared)
