"""Every video of a list through a checkpoint, and the scores of the videos."""

import torch
from torch import Tensor

from stvit_video.data.decoding.video import BACKENDS
from stvit_video.data.loading.collate import collate_views
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.loading.worker_crashes import naming_worker_crashes
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.evaluation.distributed import rank_and_world_size
from stvit_video.evaluation.metrics import Metrics, classification_metrics, multi_label_metrics
from stvit_video.evaluation.multiview import MultiViewResult, evaluate_views
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.model_input import view_dataset
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.layers.numbers import whole_number
from stvit_video.utils.open_files import OpenFilesError


class NothingEvaluatedError(RuntimeError):
    """Not one listed video could be read, so there is no accuracy to state."""


# what evaluating can raise that the user can mend; a command tells it in one line
USER_ERRORS = (ValueError, OSError, NonFiniteLogitsError, NothingEvaluatedError, WorkerCrashError, OpenFilesError)
PRECISIONS: dict[str, torch.dtype | None] = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}


def evaluate_manifest(
    recognizer: TrainedModel,
    manifest: Manifest,
    *,
    batch_size: int = 1,
    num_workers: int = 0,
    backend: str = "auto",
    time_limit_seconds: float | None = None,
    max_views_per_forward: int = 16,
    precision: str = "32",
    prefix: str = "",
) -> MultiViewResult:
    """Every listed video once through the recognizer, by its protocol; in one of several processes its share of them.

    Args:
        batch_size: videos (each of clips x crops views) that are loaded together.
        num_workers: processes that decode; 0 = this one.
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening and for each reading of one video, see `open_video`.
        precision: "32", "bf16" or "16".
        prefix: of the settings that the advice of an error names: "data." where they are data.num_workers.

    Raises:
        ValueError: a setting is out of range.
        NonFiniteLogitsError: the model gives NaN; the videos are named.
        WorkerCrashError: the system ended a loader process, whose video is named, or the shared memory is full.
        OpenFilesError: too many files are open.
    """
    whole_number("batch_size", batch_size)
    whole_number("max_views_per_forward", max_views_per_forward)
    whole_number("num_workers", num_workers, minimum=0)
    if backend not in BACKENDS:
        raise ValueError(f"backend={backend!r} is not known; use one of {', '.join(BACKENDS)}")
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} is not known; use one of {', '.join(PRECISIONS)}")
    datasets: list[ViewDataset] = []
    with naming_worker_crashes(lambda: datasets, prefix=prefix):
        decoding = Decoding(backend=backend, time_limit_seconds=time_limit_seconds)
        datasets.append(view_dataset(recognizer, manifest, decoding=decoding))
        rank, world_size = rank_and_world_size()
        share = UnpaddedDistributedSampler(
            datasets[0], shuffle=False, seed=0, rank=rank, world_size=world_size, block_size=batch_size
        )
        return evaluate_views(
            recognizer.model,
            VideoLoader(
                datasets[0],
                batch_size=batch_size,
                sampler=share,
                num_workers=num_workers,
                collate_fn=collate_views,
                prefix=prefix,
            ),
            device=recognizer.device,
            prepare=DeviceTransform(recognizer.preprocessing),
            max_views_per_forward=max_views_per_forward,
            autocast_dtype=PRECISIONS[precision],
            names=[record.video_id for record in manifest.records],
            allow_empty=world_size > 1,
        )


def score_videos(recognizer: TrainedModel, result: MultiViewResult) -> tuple[Tensor, Metrics]:
    """Scores (N, num_classes) of the videos of `result`, by the protocol's average, and their metrics.

    Raises:
        NothingEvaluatedError: not one video could be read; the first reasons are named.
    """
    if result.num_used == 0:
        reasons = "; ".join(list(result.errors.values())[:3])
        raise NothingEvaluatedError(f"not one of {result.num_listed} videos could be read: {reasons}")
    scores = recognizer.average_views(result)
    if recognizer.multi_label:
        return scores, multi_label_metrics(scores, result.labels.to(torch.bool))
    return scores, classification_metrics(scores, result.labels, num_classes=len(recognizer.classes))
