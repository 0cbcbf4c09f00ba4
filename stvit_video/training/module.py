"""The LightningModule: loss, metrics, optimizer and what goes into a checkpoint."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.mixup import Mix, Mixing, mix_clips
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.training.compiling import compiled_logits
from stvit_video.training.devices import gather_objects
from stvit_video.training.distillation import Teacher
from stvit_video.training.freezing import put_frozen_in_eval
from stvit_video.training.nonfinite import KeptBuffers, NonFiniteGuard, drop_gradients
from stvit_video.training.objective import MultiLabel, Objective, SingleLabel
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sandwich import Sandwich
from stvit_video.training.sharding import gather_weights, shard_model, spread_weights
from stvit_video.utils.compat import has_trainer

NON_FINITE = "nonfinite"  # entry of a checkpoint
TOKENS, MIXING = 0, 1  # what all processes draw alike


class TrainingStoppedError(RuntimeError):
    """Training can't go on; the message says why and what to do."""


class ClassificationModule(LightningModule):
    """Trains a model from clips to logits; loss and metrics are those of `SingleLabel` or `MultiLabel`.

    Args:
        model: (B, C, T, H, W) -> (B, num_classes).
        num_classes: number of classes.
        metadata: plain values that make the checkpoints self-contained, see
            `stvit_video.models.checkpoints.metadata.checkpoint_metadata`.
        optim: optimizer and learning rate.
        label_smoothing: share of the target that is spread over all classes (several labels a clip: over yes and no).
        max_skipped_fraction: share of unreadable videos, of at least 100 drawn, above which training stops.
        mixing: mixup and cutmix of training batches; None = none.
        device_transform: finishes the loader's clips and views on this module's device; None = they come finished.
        multi_label: whether a clip can have several labels, or none.
        class_weights: what each class counts in the loss, see `stvit_video.training.class_weights`; None = all alike.
        teacher: a trained model to learn from beside the labels; it sees the same clips, mixed ones too.
        sandwich: trains several choices of an elastic model in every step; None = one that is drawn.
        guard: what to do with batches whose loss is not finite; None = stop at the first, naming indices.
        seed: of the training; with epoch and batch it decides, alike in all processes, which elastic count and place a
            batch gets, and whether it is mixed.
        compile_mode: of `torch.compile` for the forward pass of the training (validation runs as it is); None = none.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        num_classes: int,
        metadata: Mapping[str, Any],
        optim: OptimizerRecipe,
        label_smoothing: float,
        max_skipped_fraction: float,
        mixing: Mixing | None = None,
        device_transform: DeviceTransform | None = None,
        multi_label: bool = False,
        class_weights: tuple[float, ...] | None = None,
        teacher: Teacher | None = None,
        sandwich: Sandwich | None = None,
        guard: NonFiniteGuard | None = None,
        seed: int = 0,
        compile_mode: str | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.metadata = dict(metadata)
        self.optim, self.max_skipped_fraction = optim, max_skipped_fraction
        self.mixing, self.device_transform = mixing, device_transform
        self.num_skipped = self.num_seen = 0
        self.skipped: dict[int, tuple[str, int]] = {}  # of each video that can't be read: why, and how often asked for
        self.val_errors: list[str] = []
        self.num_val_videos, self.val_loss_sum = 0, torch.zeros(())
        make_objective = MultiLabel if multi_label else SingleLabel
        self.objective: Objective = make_objective(
            num_classes, label_smoothing=label_smoothing, class_weights=class_weights
        )
        self.multi_label, self.teacher, self.sandwich = multi_label, teacher, sandwich
        self.guard = guard or NonFiniteGuard(max_in_a_row=1, name_of=lambda index: f"number {index}")
        self.seed, self.compile_mode = seed, compile_mode
        self._compiled: Callable[[Tensor], tuple[Tensor, ...]] | None = None
        self._kept: KeptBuffers | None = None  # of a batch whose loss is not finite
        self._drops_step = False

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Loss of a batch of clips; see `collate_clips` for its keys."""
        self._count_skipped(batch)
        clips, labels = batch["clip"], batch["label"]
        if self.device_transform is not None:
            clips = self._as_weights(self.device_transform(clips, batch["draws"]))
        shared = self._shared_generator(batch_index, purpose=MIXING)
        mix = None if self.mixing is None else self.mixing.draw(clips.shape[-2], clips.shape[-1], shared=shared)
        if mix is not None:
            clips = mix_clips(clips, mix)
        before = KeptBuffers(self.model) if self.guard.max_in_a_row > 1 else None
        heads, losses = self._forward(clips, labels, mix, batch_index)
        loss = losses["loss"]
        if found := self.guard.check(loss.detach(), batch["index"]):
            self._kept = before
            self._skip_or_stop(found)
            return loss
        kept: dict[str, tuple[Any, Tensor]] = {name: (value, value) for name, value in losses.items()}
        kept |= self.objective.count(_mean(heads), labels, mix)
        size = len(labels)
        for name, (value, of_this_batch) in kept.items():  # the latter for the progress bar alone
            self.log(name, of_this_batch, prog_bar=True, on_step=True, on_epoch=False, logger=False, batch_size=size)
            mean = isinstance(value, Tensor)  # a metric does by itself what `sync_dist` does for a number
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=size, sync_dist=mean)
        return loss

    def _as_weights(self, clips: Tensor) -> Tensor:
        """Clips in the type of the weights: float32, but for trainer.precision=bf16-true and the like."""
        return clips.to(next(self.model.parameters()).dtype)

    def _shared_generator(self, batch_index: int, *, purpose: int) -> torch.Generator:
        """Of what all processes must draw alike at this step; each purpose has a source of its own."""
        epoch = self.current_epoch if has_trainer(self) else 0
        return torch.Generator().manual_seed(hash((self.seed, epoch, batch_index, purpose)) % 2**63)

    def _forward(
        self, clips: Tensor, labels: Tensor, mix: Mix | None, batch_index: int
    ) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Logits (B, num_classes) float32 of every head, and the losses; an elastic model is drawn alike everywhere."""
        taught = None if self.teacher is None else self.teacher.logits(clips)

        def losses_of(heads: tuple[Tensor, ...]) -> dict[str, Tensor]:
            return self._losses(heads, labels, mix, taught=taught)

        if not isinstance(self.model, TokenModel):
            heads: tuple[Tensor, ...] = (self.model(clips).float(),)
            return heads, losses_of(heads)
        generator = self._shared_generator(batch_index, purpose=TOKENS)
        if self.sandwich is not None:
            forward = partial(self._heads, self.model, clips)
            return self.sandwich.step(self.model, forward, losses_of, generator=generator, multi_label=self.multi_label)
        self.model.draw_tokens(generator=generator)
        heads = self._heads(self.model, clips)
        return heads, losses_of(heads)

    def _heads(self, model: TokenModel, clips: Tensor) -> tuple[Tensor, ...]:
        """Logits (B, num_classes) float32 of every head."""
        if self.compile_mode is not None and self._compiled is None:
            self._compiled = compiled_logits(model, mode=self.compile_mode)
        return tuple(logits.float() for logits in (self._compiled or model.forward_logits)(clips))

    def _losses(
        self, heads: tuple[Tensor, ...], labels: Tensor, mix: Mix | None, *, taught: Tensor | None
    ) -> dict[str, Tensor]:
        """The loss; with a teacher also its part in that, which the last head learns from and the labels' part not."""
        if self.teacher is None or taught is None:
            return {"loss": self.objective.loss(_mean(heads), labels, mix)}
        how = self.teacher.distillation
        of_teacher = how.loss(heads[-1], taught, multi_label=self.multi_label)
        own = self.objective.loss(heads[0], labels, mix)
        return {"loss": (1 - how.weight) * own + how.weight * of_teacher, "teacher_loss": of_teacher}

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
            TrainingStoppedError: the processes don't agree on the validation videos.
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
        """Log how many unreadable videos were replaced so far, and batches without a finite loss skipped."""
        self.log("train/num_skipped", float(self.num_skipped), reduce_fx="sum", sync_dist=True)
        if self.guard.max_in_a_row > 1:
            self.log("train/num_nonfinite", float(self.guard.total), reduce_fx="max", sync_dist=True)

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
            clips = self._as_weights(self.device_transform(clips))
        logits = self.model(clips).float().unflatten(0, views.shape[:2])  # (B, V, num_classes)
        loss = self.objective.validate(logits, labels)
        self.val_loss_sum = self.val_loss_sum + loss.detach() * len(labels)

    def on_validation_epoch_start(self) -> None:
        """Count anew; with FSDP, give every process the whole weights, as one may have more batches than another."""
        self.val_errors, self.num_val_videos, self.val_loss_sum = [], 0, torch.zeros((), device=self.device)
        gather_weights(self.model)

    def on_validation_epoch_end(self) -> None:
        """Say which validation videos could not be read.

        Raises:
            TrainingStoppedError: not one of them could.
        """
        spread_weights(self.model)
        counted = (len(self.val_errors), self.num_val_videos, float(self.val_loss_sum))
        parts: list[Any] = gather_objects((self.val_errors[:3], *counted))
        num_errors, num_videos, loss_sum = (sum(part[place] for part in parts) for place in (1, 2, 3))
        if len(self.val_errors) == self.num_val_videos:
            self.objective.validate_none()
        if num_errors < num_videos:  # all processes log alike, as they wait for one another's share
            self.log("val/loss", loss_sum / (num_videos - num_errors), prog_bar=True, batch_size=1, sync_dist=True)
            for name, metric in self.objective.val_metrics.items():
                main = f"val/{name}" == self.objective.monitor
                self.log(f"val/{name}", metric, prog_bar=main, batch_size=1, sync_dist=main)
        self.log("val/num_unreadable", float(len(self.val_errors)), reduce_fx="sum", sync_dist=True)
        if not num_errors or self.trainer.sanity_checking:
            return
        found = f"{num_errors} of {num_videos} validation videos can't be read"
        reasons = "; ".join([error for part in parts for error in part[0]][:3])
        if num_errors == num_videos:
            raise TrainingStoppedError(f"{found}, so there is nothing to validate on; repair the list: {reasons}")
        if self.current_epoch == 0:
            rank_zero_warn(f"{found} and are left out of {self.objective.monitor}: {reasons}")

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


def _mean(heads: tuple[Tensor, ...]) -> Tensor:
    """What a model answers: the mean of the logits of its heads."""
    return heads[0] if len(heads) == 1 else torch.stack(heads).mean(0)
