"""The LightningModule of detection and instance segmentation: losses of the detector, AP of the validation pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from stvit_video.dense.detector import Detector
from stvit_video.evaluation.detection.coco_scores import CocoScores
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.instances import PictureId
from stvit_video.tokens.key_frames import KeyFrames
from stvit_video.training.dense_module import DenseModule, readable_places, shared_by_clips, shared_by_frames
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe

__all__ = ["DetectionModule"]


class DetectionModule(DenseModule[DetectionResults]):
    """Trains a detector.

    Args:
        model: pictures (B, 3, H, W) -> losses, detections.
        metadata: see `TaskModule`.
        optim: optimizer and learning rate.
        max_skipped_fraction: see `TaskModule`.
        truth: of the validation pictures, see `stvit_video.evaluation.detection.instances.true_instances`.
        classes: names, in the order of the labels.
        masks: whether masks are scored, not boxes.
        guard: see `TaskModule`.
        seed: of the training.
    """

    monitor = "val/AP"
    model: Detector

    def __init__(
        self,
        model: Detector,
        *,
        metadata: Mapping[str, Any],
        optim: OptimizerRecipe,
        max_skipped_fraction: float,
        truth: Sequence[Mapping[str, Any]],
        classes: Sequence[str],
        masks: bool,
        guard: NonFiniteGuard | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            model, metadata=metadata, optim=optim, max_skipped_fraction=max_skipped_fraction, guard=guard, seed=seed
        )
        self.truth, self.classes, self.masks = truth, classes, masks
        self.results = DetectionResults((), classes=classes)

    def batch_losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """See `DenseModule`."""
        return self.model.losses(batch["pictures"], batch["sizes"], batch["targets"], shared=shared_by_clips(batch))

    def empty_results(self) -> DetectionResults:
        """See `DenseModule`."""
        return DetectionResults(self.truth, classes=self.classes)

    def add_to_results(self, batch: Mapping[str, Any]) -> None:
        """See `DenseModule`."""
        add_detections(self.results, self.model, batch)

    def score_values(self, whole: DetectionResults) -> dict[str, float]:
        """See `DenseModule`; nothing detected and nothing true counts as 0."""
        limit, values = self.model.options.detections, dict[str, float]()
        kinds = {"": "segm", "box_": "bbox"} if self.masks else {"": "bbox"}
        for prefix, kind in kinds.items():
            scores: CocoScores = whole.scores(kind, max_detections=limit)
            values |= {f"val/{prefix}{name}": scores.values[name] or 0.0 for name in ("AP", "AP50", "AP75")}
        return values


def add_detections(
    results: DetectionResults, model: Detector, batch: Mapping[str, Any], key_frames: KeyFrames | None = None
) -> None:
    """Detect in the pictures of a batch that could be read, and note the others.

    Args:
        results: of the evaluation, to be added to.
        model: in eval mode.
        batch: of `collate_pictures` for an evaluation.
        key_frames: of the evaluation, where frames share tokens.
    """
    ids: Sequence[PictureId] = batch["picture_ids"]
    kept = readable_places(results, batch)
    if not kept:
        return
    found = model.detect(
        batch["pictures"][kept],
        [batch["sizes"][place] for place in kept],
        [batch["original_sizes"][place] for place in kept],
        shared=shared_by_frames(batch, kept, key_frames),
    )
    results.add([ids[place] for place in kept], found)
