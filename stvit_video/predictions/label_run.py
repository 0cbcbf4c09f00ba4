"""Label the videos that a command line names, by a checkpoint."""

from stvit_video.inference.predicting import predict_records
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import token_choices, view_choices
from stvit_video.predictions.checkpoint_digest import checkpoint_values
from stvit_video.predictions.label_output import OF_PICTURES, LabelSource, label_listed, label_targets
from stvit_video.predictions.made_with import made_with
from stvit_video.utils.command_line import Given

__all__ = ["label_videos"]


def label_videos(given: Given) -> int:
    """Predict the videos; 1 if some could not be read, else 0.

    Raises:
        ValueError: CheckpointError, no videos, result files of another run, a setting that the checkpoint can't take.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    if foreign := [name for name in OF_PICTURES if getattr(given, name) is not None]:
        raise ValueError(
            f"{', '.join(foreign)}: for checkpoints that find objects or label pixels, and this one labels videos"
        )
    targets = label_targets(given)
    return label_listed(given, _source(given, _recognizer(given)), targets)


def _source(given: Given, recognizer: Recognizer) -> LabelSource:
    asked = {"top_k": given.top_k, "threshold": given.threshold, "features": given.features is not None}
    return LabelSource(
        classes=recognizer.classes,
        of_pictures=recognizer.preprocessing.num_frames == 1,
        separator=recognizer.label_separator,
        made_with=lambda: made_with(
            checkpoint_values(recognizer),
            protocol=recognizer.protocol,
            preprocessing=recognizer.preprocessing,
            num_classes=len(recognizer.classes),
            **asked,
        ),
        predict=lambda records, num_workers: predict_records(
            recognizer,
            records,
            num_workers=num_workers,
            batch_size=given.batch_size,
            time_limit_seconds=given.time_limit_seconds,
            **asked,
        ),
    )


def _recognizer(given: Given) -> Recognizer:
    return load_recognizer(
        given.ckpt_path,
        device=given.device,
        **token_choices(given),
        **view_choices(given),
        gmacs=given.gmacs,
        clips_per_second=given.clips_per_second,
        latency_ms=given.latency_ms,
    )
