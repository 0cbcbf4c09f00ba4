"""Clips that the ranges of a model in 8 bits are measured on: of the videos it was trained on, or of others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.factories.manifests import build_parts
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.predictions.inputs import read_inputs

ADVICE = "give about 100 videos like those of the training as calibration=FOLDER_OR_LIST"


def calibration_records(trained: TrainedModel, given: Path | None) -> tuple[VideoRecord, ...]:
    """The videos to calibrate with.

    Args:
        trained: a checkpoint; its configuration says which videos it was trained on.
        given: a folder, a list (.csv, .txt) or a single video; None = the training list.

    Raises:
        ValueError: nothing is named, or the training list is not there.
    """
    is_image_model = trained.preprocessing.num_frames == 1
    if given is not None:
        return tuple(video.record() for video in read_inputs([str(given)], of_pictures=is_image_model).videos)
    try:
        return build_parts({"num_workers": 0, **trained.config["data"]}, ("train",))["train"].records
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f"precision=int8 needs videos to calibrate with, and {error}; {ADVICE}") from error


def calibration_clips(
    trained: TrainedModel, records: Sequence[VideoRecord], *, num_clips: int
) -> tuple[list[np.ndarray], int]:
    """The middle crop of a clip of each video, of videos that are spread over the list.

    Args:
        trained: says how frames are chosen, resized and cropped.
        records: the videos.
        num_clips: that are wanted; of a shorter list there are as many as it has videos.

    Returns:
        Clips (1, T, H, W, 3) uint8, and the number of videos that could not be read.

    Raises:
        ValueError: not one video can be read.
    """
    chosen = [records[place] for place in spread_places(len(records), num_clips)]
    dataset = ViewDataset(
        Manifest(tuple(chosen), trained.classes),
        preprocessing=trained.preprocessing,
        protocol=trained.protocol.name,
        num_clips=1,
        num_crops=1,
    )
    items = [dataset[place] for place in range(len(chosen))]
    clips = [item["views"][:1].permute(0, 2, 3, 4, 1).contiguous().numpy() for item in items if not item["error"]]
    if not clips:
        first = f", first: {items[0]['error']}" if items else ""
        raise ValueError(f"none of {len(chosen)} videos to calibrate with can be read{first}; {ADVICE}")
    return clips, len(items) - len(clips)


def spread_places(count: int, wanted: int) -> list[int]:
    """`wanted` places of `count`, at equal distances from the first on; all of them where there are fewer."""
    return [place * count // wanted for place in range(wanted)] if wanted < count else list(range(count))
