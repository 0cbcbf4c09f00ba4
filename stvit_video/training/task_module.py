"""What the LightningModules of all tasks share: optimizer, guard of the loss, skipped samples, checkpoints."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.training.devices import gather_objects
from stvit_video.training.freezing import put_frozen_in_eval
from stvit_video.training.nonfinite import KeptBuffers, NonFiniteGuard, drop_gradients
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sharding import shard_model
from stvit_video.utils.compat import has_trainer

NON_FINITE = "nonfinite"  # entry of a checkpoint


class TrainingStoppedError(RuntimeError):
    """Training can't go on; the message says why and what to do."""


class TaskModule(LightningModule):
    """Trains a model; what it learns from, its loss and its metrics are those of the task.

    Args:
        model: of the task.
        metadata: plain values that make the checkpoints self-contained, see
            `stvit_video.models.checkpoints.metadata.checkpoint_metadata`.
        optim: optimizer and learning rate.
        max_skipped_fraction: share of unreadable samples, of at least 100 drawn, above which training stops.
        guard: what to do with batches whose loss is not finite; None = stop at the first, naming indices.
        seed: of the training; with epoch and batch it decides what all processes draw alike.

    Attributes:
        monitor: the metric by which best.ckpt is chosen, the higher the better.
        sample: what one of the data is called in messages.
        unit: what the speed of a training counts.
        skipped: of each sample that can't be read: why, and how often it was asked for.
    """

    monitor = ""
    sample, unit = "video", "clips"

    def __init__(
        self,
        model: nn.Module,
        *,
        metadata: Mapping[str, Any],
        optim: OptimizerRecipe,
        max_skipped_fraction: float,
        guard: NonFiniteGuard | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.model = model
        self.metadata = dict(metadata)
        self.optim, self.max_skipped_fraction, self.seed = optim, max_skipped_fraction, seed
        self.num_skipped = self.num_seen = 0
        self.skipped: dict[int, tuple[str, int]] = {}
        self.guard = guard or NonFiniteGuard(max_in_a_row=1, name_of=lambda index: f"number {index}")
        self._kept: KeptBuffers | None = None  # of a batch whose loss is not finite
        self._drops_step = False

    def buffers_before(self) -> KeptBuffers | None:
        """The model's running statistics, to be asked for before its forward pass, see `is_dropped`."""
        return KeptBuffers(self.model) if self.guard.max_in_a_row > 1 else None

    def is_dropped(self, loss: Tensor, index: Tensor, *, before: KeptBuffers | None) -> bool:
        """Whether the step of this batch is dropped, as its loss is not finite.

        Args:
            loss: of the batch.
            index: (B,) numbers of its samples.
            before: of `buffers_before`.

        Raises:
            TrainingStoppedError: too many batches in a row had to be dropped.
        """
        found = self.guard.check(loss.detach(), index)
        if found:
            self._kept = before
            self._skip_or_stop(found)
        return bool(found)

    def shared_generator(self, batch_index: int, *, purpose: int) -> torch.Generator:
        """Of what all processes must draw alike at this step; each purpose has a source of its own."""
        epoch = self.current_epoch if has_trainer(self) else 0
        return torch.Generator().manual_seed(hash((self.seed, epoch, batch_index, purpose)) % 2**63)

    def _skip_or_stop(self, found: str) -> None:
        """Drop the optimizer step that this batch belongs to.

        Raises:
            TrainingStoppedError: too many batches in a row had to be dropped.
        """
        guard = self.guard
        if guard.too_many:
            raise TrainingStoppedError(
                f"the loss is {found}, at step {self.global_step}, in {guard.in_a_row} batch(es) in a row; lower "
                f"optim.lr, use trainer.precision=32-true, or skip such batches with "
                f"trainer.max_nonfinite_steps={guard.max_in_a_row + 1} or more"
            )
        self._drops_step = True
        rank_zero_warn(
            f"the loss is {found}, at step {self.global_step}; the step is skipped, "
            f"{guard.max_in_a_row} such batches in a row stop the training (trainer.max_nonfinite_steps)"
        )

    def on_after_backward(self) -> None:
        """Put the running statistics back that a batch without a finite loss has changed."""
        if self._kept is not None:
            self._kept.restore()
            self._kept = None

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """Leave the weights as they are where a batch of this step had no finite loss."""
        if self._drops_step:
            drop_gradients(self.parameters())
            self._drops_step = False

    def on_train_start(self) -> None:
        """Frozen parts work as in evaluation; after each validation Lightning puts every part as it was.

        Raises:
            TrainingStoppedError: the processes don't agree on the validation data.
        """
        self._check_split()
        put_frozen_in_eval(self.model)

    def _check_split(self) -> None:
        every = gather_objects(self.metadata.get("held_back"))
        if any(other != every[0] for other in every):
            raise TrainingStoppedError(
                f"the {len(every)} processes of this training have held back different videos for validation, so each "
                "machine sees other files; give all the same folder, or data.train and data.val"
            )

    def count_skipped(self, batch: dict[str, Any]) -> None:
        """Count what could not be read for a batch.

        Args:
            batch: with `num_skipped` (B,), and `skipped`: of each that could not be read its number and the reason.

        Raises:
            TrainingStoppedError: more than max_skipped_fraction.
        """
        self.num_skipped += int(batch["num_skipped"].sum())
        self.num_seen += len(batch["num_skipped"])  # videos; with repeats there are more clips
        for index, found in batch["skipped"]:
            reason, times = self.skipped.get(index, (found, 0))
            self.skipped[index] = (reason, times + 1)
        asked = self.num_skipped + self.num_seen
        if self.num_skipped > self.max_skipped_fraction * max(asked, 100):
            raise TrainingStoppedError(
                f"{self.num_skipped} of {asked} {self.sample}s drawn for training could not be read, more than "
                f"data.max_skipped_fraction={self.max_skipped_fraction}; repair or remove them, or allow more: "
                f"{'; '.join(reason for reason, _ in list(self.skipped.values())[:3])}"
            )

    def on_train_epoch_end(self) -> None:
        """Log how many unreadable samples were replaced so far, and batches without a finite loss skipped."""
        self.log("train/num_skipped", float(self.num_skipped), reduce_fx="sum", sync_dist=True)
        if self.guard.max_in_a_row > 1:
            self.log("train/num_nonfinite", float(self.guard.total), reduce_fx="max", sync_dist=True)

    def configure_model(self) -> None:
        """With FSDP, spread the model's weights over the processes; Lightning calls this before the optimizer."""
        if self.device_mesh is not None:
            shard_model(self.model, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        """As the plan says."""
        num_steps = int(self.trainer.estimated_stepping_batches)
        return self.optim.build(self.model, num_steps=num_steps, max_epochs=int(self.trainer.max_epochs or 1))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put labels, model, preprocessing, protocol, configuration and versions beside the weights."""
        checkpoint[METADATA_KEY] = self.metadata
        if self.guard.total:
            checkpoint[NON_FINITE] = self.guard.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on counting batches without a finite loss."""
        if NON_FINITE in checkpoint:
            self.guard.load_state_dict(checkpoint[NON_FINITE])
