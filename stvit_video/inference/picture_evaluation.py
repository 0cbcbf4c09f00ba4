"""Every picture of a list through a detector or segmenter, batch by batch."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from stvit_video.data.loading.evaluation_loader import evaluation_loader
from stvit_video.data.loading.listed_pictures import ListedPictures
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.worker_crashes import naming_worker_crashes
from stvit_video.data.manifests.picture_sequences import require_sequences
from stvit_video.evaluation.distributed import rank_and_world_size
from stvit_video.inference.scoring import PRECISIONS
from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.key_frames import KeyFrames

__all__ = ["evaluate_batches"]


def evaluate_batches(
    dataset: ListedPictures,
    add: Callable[[Mapping[str, Any], KeyFrames], object],
    *,
    device: torch.device,
    batch_size: int,
    num_workers: int,
    precision: str,
    key_every: int = 1,
    prefix: str = "",
) -> None:
    """Run a model on every picture once; in one of several processes on its share of them.

    Args:
        dataset: of the pictures, for an evaluation.
        add: runs the model on a batch of `collate_pictures`, whose "pictures" are on the device, with the key frames
            of the whole list.
        device: where the model is.
        batch_size: pictures of a batch.
        num_workers: processes that read; 0 = this one.
        precision: "32", "bf16" or "16".
        key_every: frames of a video from one key frame to the next; above 1 each video stays together and in order.
        prefix: of the settings that the advice of an error names.

    Raises:
        ValueError: a setting is out of range, or no picture is a frame of a video that others share tokens with.
        WorkerCrashError: the system ended a loader process, or the shared memory is full.
        OpenFilesError: too many files are open.
    """
    whole_number("batch_size", batch_size)
    whole_number("num_workers", num_workers, minimum=0)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} is not known; use one of {', '.join(PRECISIONS)}")
    key_frames, shares_tokens = KeyFrames(key_every), key_every > 1
    if shares_tokens:
        require_sequences(dataset.manifest, setting=f"key_every={key_every}")
    rank, world_size = rank_and_world_size()
    loader = evaluation_loader(
        dataset,
        batch_size=batch_size,
        num_workers=num_workers,
        collate=collate_pictures,
        rank=rank,
        world_size=world_size,
        in_sequences=shares_tokens,
        prefix=prefix,
    )
    dtype = PRECISIONS[precision]
    with (
        naming_worker_crashes(lambda: [dataset], prefix=prefix),
        torch.inference_mode(),
        torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None),
    ):
        for batch in loader:
            add({**batch, "pictures": batch["pictures"].to(device)}, key_frames)
