"""What a training item says of its video: the number of its class, or which of all labels it has."""

from collections.abc import Iterable

import torch

from stvit_video.data.manifests.manifest import Manifest, VideoRecord


def target_of(manifest: Manifest, record: VideoRecord) -> int | torch.Tensor:
    """The entry "label" of an item.

    Args:
        manifest: the list that `record` is from.
        record: the video.

    Returns:
        The index of its class; of a multi-label list (num_classes,) float32, 1 where the video has the label, else 0.
    """
    return multi_hot(record.labels, num_classes=len(manifest.classes)) if manifest.multi_label else record.label


def multi_hot(labels: Iterable[int], *, num_classes: int) -> torch.Tensor:
    """(num_classes,) float32 with 1 at `labels` and 0 elsewhere.

    Raises:
        ValueError: a label is no index of a class.
    """
    chosen = list(labels)
    if any(not 0 <= label < num_classes for label in chosen):
        raise ValueError(f"labels={chosen} must be in 0..{num_classes - 1}")
    target = torch.zeros(num_classes)
    target[chosen] = 1.0
    return target
