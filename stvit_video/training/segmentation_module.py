"""The LightningModule of semantic segmentation: losses of the segmenter, mIoU of the validation pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from stvit_video.dense.segmenter import Segmenter
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.tokens.key_frames import KeyFrames
from stvit_video.training.dense_module import DenseModule, readable_places, shared_by_clips, shared_by_frames
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe

__all__ = ["SegmentationModule", "add_maps"]


class SegmentationModule(DenseModule[SegmentationResults]):
    """Trains a segmenter.

    Args:
        model: pictures (B, 3, H, W) -> losses, maps of labels.
        metadata: see `TaskModule`.
        optim: optimizer and learning rate.
        max_skipped_fraction: see `TaskModule`.
        picture_ids: of the validation pictures.
        classes: names, in the order of the labels.
        guard: see `TaskModule`.
        seed: of the training.
    """

    monitor = "val/mIoU"
    model: Segmenter

    def __init__(
        self,
        model: Segmenter,
        *,
        metadata: Mapping[str, Any],
        optim: OptimizerRecipe,
        max_skipped_fraction: float,
        picture_ids: Sequence[Any],
        classes: Sequence[str],
        guard: NonFiniteGuard | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            model, metadata=metadata, optim=optim, max_skipped_fraction=max_skipped_fraction, guard=guard, seed=seed
        )
        self.picture_ids, self.classes = tuple(picture_ids), tuple(classes)
        self.results = SegmentationResults((), classes=self.classes)

    def batch_losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """See `DenseModule`."""
        return self.model.losses(batch["pictures"], batch["sizes"], batch["maps"], shared=shared_by_clips(batch))

    def empty_results(self) -> SegmentationResults:
        """See `DenseModule`."""
        return SegmentationResults(self.picture_ids, classes=self.classes)

    def add_to_results(self, batch: Mapping[str, Any]) -> None:
        """See `DenseModule`."""
        add_maps(self.results, self.model, batch)

    def score_values(self, whole: SegmentationResults) -> dict[str, float]:
        """See `DenseModule`; where no pixel counts, a score is 0."""
        return {f"val/{name}": value or 0.0 for name, value in whole.scores().values.items()}


def add_maps(
    results: SegmentationResults, model: Segmenter, batch: Mapping[str, Any], key_frames: KeyFrames | None = None
) -> None:
    """Label the pixels of the pictures of a batch that could be read, and note the other pictures.

    Args:
        results: of the evaluation, to be added to.
        model: in eval mode.
        batch: of an evaluation: `pictures` (B, 3, H, W), `sizes`, `original_sizes`, `true_maps` (H, W) uint8 of the
            original sizes, `picture_ids`, `errors`.
        key_frames: of the evaluation, where frames share tokens.
    """
    kept = readable_places(results, batch)
    if not kept:
        return
    found = model.segment(
        batch["pictures"][kept],
        [batch["sizes"][place] for place in kept],
        [batch["original_sizes"][place] for place in kept],
        shared=shared_by_frames(batch, kept, key_frames),
    )
    ids, truth = batch["picture_ids"], batch["true_maps"]
    results.add([ids[place] for place in kept], found, [truth[place] for place in kept])
