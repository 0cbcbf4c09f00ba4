"""What one picture costs a detector: operations of the backbone and of the whole, and pictures a second."""

from typing import Any

from torch import Tensor

from stvit_video.detections.trained_detector import TrainedDetector
from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters
from stvit_video.inference.dense_cost import Answers, pictures_per_second

__all__ = ["detector_cost", "measure_detector_speed"]


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
    whole = _answers(detector)
    return {
        "picture_size": [height, width],
        "gmacs_backbone": count_gmacs(detector.model.backbone, (3, height, width)),
        "gmacs_detector": count_gmacs(whole, (3, height, width)),
        "num_parameters": count_parameters(detector.model),
        "inference_pictures_per_second": measure_detector_speed(detector, picture_size=picture_size),
    }


def measure_detector_speed(detector: TrainedDetector, *, picture_size: tuple[int, int]) -> float:
    """Pictures of a padded size (height, width) per second, see `pictures_per_second`."""
    return pictures_per_second(_answers(detector), picture_size=picture_size, device=detector.device)


def _answers(detector: TrainedDetector) -> Answers:
    model = detector.model

    def outputs(pictures: Tensor) -> dict[str, Any]:
        return model.outputs(pictures, [(pictures.shape[-2], pictures.shape[-1])] * len(pictures))

    return Answers(model, outputs)
