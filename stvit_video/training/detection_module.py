"""The LightningModule of detection and instance segmentation: losses of the detector, AP of the validation pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from stvit_video.dense.detector import Detector
from stvit_video.evaluation.detection.coco_scores import CocoScores
from stvit_video.evaluation.detection.detection_results import DetectionResults
from stvit_video.evaluation.detection.instances import PictureId
from stvit_video.training.devices import gather_objects
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sharding import gather_weights, spread_weights
from stvit_video.training.task_module import TaskModule, TrainingStoppedError

__all__ = ["DetectionModule"]

NUM_SHOWN = 3  # reasons in a message


class DetectionModule(TaskModule):
    """Trains a detector. Its draws come from torch's generator, which is seeded at every step.

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
    sample, unit = "picture", "pictures"
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

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Sum of the losses of a batch; see `collate_pictures` for its keys."""
        self.count_skipped(batch)
        before = self.buffers_before()
        losses = self.model.losses(batch["pictures"], batch["sizes"], batch["targets"])
        loss = torch.stack([value.float() for value in losses.values()]).sum()
        if self.is_dropped(loss, batch["index"], before=before):
            return loss
        size = len(batch["sizes"])
        for name, value in {"loss": loss, **losses}.items():
            self.log(name, value, prog_bar=name == "loss", on_step=True, on_epoch=False, logger=False, batch_size=size)
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Count anew; with FSDP, give every process the whole weights, as one may have more batches than another."""
        self.results = DetectionResults(self.truth, classes=self.classes)
        gather_weights(self.model)

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Detect in a batch of pictures; those with an error count as unread."""
        add_detections(self.results, self.model, batch)

    def on_validation_epoch_end(self) -> None:
        """Score what all processes have detected, and say which pictures could not be read.

        Raises:
            TrainingStoppedError: not one of them could.
        """
        spread_weights(self.model)
        if self.trainer.sanity_checking:
            return
        shares: list[Any] = gather_objects(self.results.share())
        whole = DetectionResults(self.truth, classes=self.classes)
        for share in shares:
            whole.take_share(share)
        self._log_scores(whole)
        if not whole.errors:
            return
        found = f"{len(whole.errors)} of {whole.num_listed} validation pictures can't be read"
        reasons = "; ".join(list(whole.errors.values())[:NUM_SHOWN])
        if not whole.num_used:
            raise TrainingStoppedError(f"{found}, so there is nothing to validate on; repair the list: {reasons}")
        if self.current_epoch == 0:
            rank_zero_only(print)(f"note: {found} and are left out of {self.monitor}", flush=True)

    def _log_scores(self, whole: DetectionResults) -> None:
        limit = self.model.options.detections
        kinds = {"": "segm", "box_": "bbox"} if self.masks else {"": "bbox"}
        for prefix, kind in kinds.items():
            scores: CocoScores = whole.scores(kind, max_detections=limit)
            for name in ("AP", "AP50", "AP75"):
                value = scores.values[name]
                main = f"val/{prefix}{name}" == self.monitor
                self.log(f"val/{prefix}{name}", 0.0 if value is None else value, prog_bar=main, batch_size=1)
        self.log("val/num_unreadable", float(len(whole.errors)), batch_size=1)


def add_detections(results: DetectionResults, model: Detector, batch: Mapping[str, Any]) -> None:
    """Detect in the pictures of a batch that could be read, and note the others.

    Args:
        results: of the evaluation, to be added to.
        model: in eval mode.
        batch: of `collate_pictures` for an evaluation.
    """
    ids: Sequence[PictureId] = batch["picture_ids"]
    for name, error in zip(ids, batch["errors"], strict=True):
        if error:
            results.add_missing(name, error)
    kept = [place for place, error in enumerate(batch["errors"]) if not error]
    if not kept:
        return
    found = model.detect(
        batch["pictures"][kept],
        [batch["sizes"][place] for place in kept],
        [batch["original_sizes"][place] for place in kept],
    )
    results.add([ids[place] for place in kept], found)
