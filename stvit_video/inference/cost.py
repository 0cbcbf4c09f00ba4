"""What one clip costs a checkpoint: operations, and clips a second."""

from typing import Any

from stvit_video.evaluation.cost.measure import count_gmacs, count_parameters, measure_throughput
from stvit_video.inference.recognizer import Recognizer


def measure_cost(recognizer: Recognizer, *, of_videos: bool = True) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of a view and of a video, parameters, and measured clips per second.

    Args:
        recognizer: the checkpoint.
        of_videos: False = a video is no number of views.
    """
    gmacs = count_gmacs(recognizer.model, clip_size(recognizer))
    num_views = recognizer.protocol.num_clips * recognizer.protocol.num_crops
    return {
        "gmacs_per_view": gmacs,
        **({"gmacs_per_video": gmacs * num_views} if of_videos else {}),
        "num_parameters": count_parameters(recognizer.model),
        "inference_clips_per_second": measure_speed(recognizer),
    }


def measure_speed(recognizer: Recognizer) -> float:
    """Clips per second in inference, batches of 8 in float32, the median of three."""
    size = clip_size(recognizer)
    return measure_throughput(recognizer.model, size, batch_size=8, device=recognizer.device, repeats=3, warmup=1)


def clip_size(recognizer: Recognizer) -> tuple[int, ...]:
    """The sizes (3, T, H, W) of a clip that the checkpoint is fed with."""
    size = recognizer.preprocessing
    return (3, size.num_frames, size.crop_size, size.crop_size)
