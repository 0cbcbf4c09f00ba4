"""The LightningModule: loss, metrics, optimizer and what goes into a checkpoint."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from stvit_video.data.device_transform import DeviceTransform
from stvit_video.data.mixing import Mixing, mix_clips
from stvit_video.models.checkpoints import METADATA_KEY
from stvit_video.training.objective import MultiLabel, Objective, SingleLabel
from stvit_video.training.optim import OptimizerPlan


class TrainingStoppedError(RuntimeError):
    """Training can't go on; the message says why and what to do."""


class ClassificationModule(LightningModule):
    """Trains a model from clips to logits; loss and metrics are those of `SingleLabel` or `MultiLabel`.

    Args:
        model: (B, C, T, H, W) -> (B, num_classes).
        num_classes: number of classes.
        metadata: plain values that make the checkpoints self-contained, see
            `stvit_video.models.checkpoints.checkpoint_metadata`.
        optim: optimizer and learning rate.
        label_smoothing: share of the target that is spread over all classes (several labels a clip: over yes and no).
        max_skipped_fraction: share of unreadable videos, of at least 100 drawn, above which training stops.
        mixing: mixup and cutmix of training batches; None = none.
        device_transform: finishes the loader's clips and views on this module's device; None = they come finished.
        multi_label: whether a clip can have several labels, or none.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        num_classes: int,
        metadata: Mapping[str, Any],
        optim: OptimizerPlan,
        label_smoothing: float,
        max_skipped_fraction: float,
        mixing: Mixing | None = None,
        device_transform: DeviceTransform | None = None,
        multi_label: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.metadata = dict(metadata)
        self.optim, self.max_skipped_fraction = optim, max_skipped_fraction
        self.mixing, self.device_transform = mixing, device_transform
        self.num_skipped = self.num_seen = 0
        self.skipped: dict[int, tuple[str, int]] = {}  # of each video that can't be read: why, and how often asked for
        self.val_errors: list[str] = []
        self.num_val_videos = 0
        make_objective = MultiLabel if multi_label else SingleLabel
        self.objective: Objective = make_objective(num_classes, label_smoothing=label_smoothing)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Loss of a batch of clips; see `collate_clips` for its keys."""
        self._count_skipped(batch)
        clips, labels = batch["clip"], batch["label"]
        if self.device_transform is not None:
            clips = self.device_transform(clips, batch["draws"])
        mix = None if self.mixing is None else self.mixing.draw(clips.shape[-2], clips.shape[-1])
        if mix is not None:
            clips = mix_clips(clips, mix)
        logits = self.model(clips).float()
        loss = self.objective.loss(logits, labels, mix)
        if not torch.isfinite(loss):
            raise TrainingStoppedError(
                f"the loss is {loss.item()} at step {self.global_step}, on the training videos with indices "
                f"{batch['index'].tolist()}; lower optim.lr, or use trainer.precision=32-true"
            )
        kept: dict[str, tuple[Any, Tensor]] = {"loss": (loss, loss), **self.objective.count(logits, labels, mix)}
        size = len(labels)
        for name, (value, of_this_batch) in kept.items():  # the latter for the progress bar alone
            self.log(name, of_this_batch, prog_bar=True, on_step=True, on_epoch=False, logger=False, batch_size=size)
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def _count_skipped(self, batch: dict[str, Any]) -> None:
        self.num_skipped += int(batch["num_skipped"].sum())
        self.num_seen += len(batch["num_skipped"])  # videos; with repeats there are more clips
        for index, found in batch["skipped"]:
            reason, times = self.skipped.get(index, (found, 0))
            self.skipped[index] = (reason, times + 1)
        asked = self.num_skipped + self.num_seen
        if self.num_skipped > self.max_skipped_fraction * max(asked, 100):
            raise TrainingStoppedError(
                f"{self.num_skipped} of {asked} videos drawn for training could not be read, more than "
                f"data.max_skipped_fraction={self.max_skipped_fraction}; repair or remove them, or allow more: "
                f"{'; '.join(reason for reason, _ in list(self.skipped.values())[:3])}"
            )

    def on_train_epoch_end(self) -> None:
        """Log how many unreadable videos were replaced so far."""
        self.log("train/num_skipped", float(self.num_skipped), reduce_fx="sum", sync_dist=True)

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Metrics of a batch of views; see `ViewDataset` for its keys. Videos with an error count as unread."""
        readable = torch.tensor([error == "" for error in batch["error"]], device=batch["label"].device)
        self.num_val_videos += len(readable)
        self.val_errors += [error for error in batch["error"] if error]
        if not readable.any():
            return
        views, labels = batch["views"][readable], batch["label"][readable]
        clips = views.flatten(0, 1)  # (B * V, C, T, H, W)
        if self.device_transform is not None:
            clips = self.device_transform(clips)
        logits = self.model(clips).float().unflatten(0, views.shape[:2])  # (B, V, num_classes)
        loss = self.objective.validate(logits, labels)
        self.log("val/loss", loss, prog_bar=True, batch_size=len(labels), sync_dist=True)
        for name, metric in self.objective.val_metrics.items():
            main = f"val/{name}" == self.objective.monitor
            self.log(f"val/{name}", metric, prog_bar=main, batch_size=len(labels), sync_dist=main)

    def on_validation_epoch_start(self) -> None:
        """Count anew."""
        self.val_errors, self.num_val_videos = [], 0

    def on_validation_epoch_end(self) -> None:
        """Say which validation videos could not be read.

        Raises:
            TrainingStoppedError: not one of them could.
        """
        self.log("val/num_unreadable", float(len(self.val_errors)), reduce_fx="sum", sync_dist=True)
        if not self.val_errors or self.trainer.sanity_checking:
            return
        found = f"{len(self.val_errors)} of {self.num_val_videos} validation videos can't be read"
        reasons = "; ".join(self.val_errors[:3])
        if len(self.val_errors) == self.num_val_videos:
            raise TrainingStoppedError(f"{found}, so there is nothing to validate on; repair the list: {reasons}")
        if self.current_epoch == 0:
            rank_zero_warn(f"{found} and are left out of {self.objective.monitor}: {reasons}")

    def configure_optimizers(self) -> Any:
        """As the plan says."""
        num_steps = int(self.trainer.estimated_stepping_batches)
        return self.optim.build(self.model, num_steps=num_steps, max_epochs=int(self.trainer.max_epochs or 1))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put labels, model, preprocessing, protocol, configuration and versions beside the weights."""
        checkpoint[METADATA_KEY] = self.metadata
