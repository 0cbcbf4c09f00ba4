"""The LightningModule of classification: loss and metrics."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.data.transforms.mixup import Mix, Mixing, mix_clips
from stvit_video.models.base import TokenModel
from stvit_video.training.compiling import compiled_logits
from stvit_video.training.devices import gather_objects
from stvit_video.training.distillation import Teacher
from stvit_video.training.nonfinite import NonFiniteGuard
from stvit_video.training.objective import MultiLabel, Objective, SingleLabel
from stvit_video.training.optim import OptimizerRecipe
from stvit_video.training.sandwich import Sandwich
from stvit_video.training.sharding import gather_weights, spread_weights
from stvit_video.training.task_module import TaskModule, TrainingStoppedError

TOKENS, MIXING = 0, 1  # what all processes draw alike


class ClassificationModule(TaskModule):
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
        super().__init__(
            model, metadata=metadata, optim=optim, max_skipped_fraction=max_skipped_fraction, guard=guard, seed=seed
        )
        self.mixing, self.device_transform = mixing, device_transform
        self.val_errors: list[str] = []
        self.num_val_videos, self.val_loss_sum = 0, torch.zeros(())
        make_objective = MultiLabel if multi_label else SingleLabel
        self.objective: Objective = make_objective(
            num_classes, label_smoothing=label_smoothing, class_weights=class_weights
        )
        self.monitor = self.objective.monitor
        self.multi_label, self.teacher, self.sandwich = multi_label, teacher, sandwich
        self.compile_mode = compile_mode
        self._compiled: Callable[[Tensor], tuple[Tensor, ...]] | None = None

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Loss of a batch of clips; see `collate_clips` for its keys."""
        self.count_skipped(batch)
        clips, labels = batch["clip"], batch["label"]
        if self.device_transform is not None:
            clips = self._as_weights(self.device_transform(clips, batch["draws"]))
        shared = self.shared_generator(batch_index, purpose=MIXING)
        mix = None if self.mixing is None else self.mixing.draw(clips.shape[-2], clips.shape[-1], shared=shared)
        if mix is not None:
            clips = mix_clips(clips, mix)
        before = self.buffers_before()
        heads, losses = self._forward(clips, labels, mix, batch_index)
        loss = losses["loss"]
        if self.is_dropped(loss, batch["index"], before=before):
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
        generator = self.shared_generator(batch_index, purpose=TOKENS)
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


def _mean(heads: tuple[Tensor, ...]) -> Tensor:
    """What a model answers: the mean of the logits of its heads."""
    return heads[0] if len(heads) == 1 else torch.stack(heads).mean(0)
