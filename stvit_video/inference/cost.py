"""What one clip costs a checkpoint: operations, and clips a second."""

from typing import Any

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters, measure_throughput
from stvit_video.inference.recognizer import Classifier


def measure_cost(classifier: Classifier) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of a view and of a video, parameters, and measured clips per second."""
    gmacs = count_gmacs(classifier.model, _clip_size(classifier))
    num_views = classifier.protocol.num_clips * classifier.protocol.num_crops
    return {
        "gmacs_per_view": gmacs,
        "gmacs_per_video": gmacs * num_views,
        "num_parameters": count_parameters(classifier.model),
        "inference_clips_per_second": measure_speed(classifier),
    }


def measure_speed(classifier: Classifier) -> float:
    """Clips per second in inference, batches of 8 in float32, the median of three."""
    size = _clip_size(classifier)
    return measure_throughput(classifier.model, size, batch_size=8, device=classifier.device, repeats=3, warmup=1)


def _clip_size(classifier: Classifier) -> tuple[int, ...]:
    size = classifier.preprocessing
    return (3, size.num_frames, size.crop_size, size.crop_size)
