"""The settings `optim`: optimizer, learning rate, and what of the model learns."""

from typing import Annotated, Literal

from pydantic import Field

from stvit_video.settings.declare import (
    AsTuple,
    Count,
    Group,
    Natural,
    NonNegative,
    Numbers,
    Positive,
    PositiveShare,
    Share,
    setting,
)
from stvit_video.utils.choices import OptimizerName, Schedule, TrainedPart

WARMUP_SHARE, LONGEST_WARMUP = 1 / 6, 5.0  # of the epochs; in epochs
Beta = Annotated[float, Field(ge=0, lt=1)]
Weights = Annotated[tuple[NonNegative, ...], AsTuple]


class OptimSettings(Group):
    """Optimizer, learning rate, and what of the model learns."""

    lr: Positive = setting(1.0e-3, "learning rate at the peak, after warm-up")
    lr_reference_batch: Count | None = setting(
        None,
        "256 = lr is meant for 256 videos a step (repeats are not counted) and is multiplied by videos a step / 256, "
        "and the other learning rates along; null = as they stand",
    )
    expected_batch: Count | None = setting(
        None, "videos a step that the recipe is for; a training with others says so. null = any"
    )
    min_lr: NonNegative = setting(1.0e-6, "learning rate at the end of cosine and poly")
    weight_decay: NonNegative = setting(0.05, "not on norms, biases, positions and cluster centres")
    decay_all: bool = setting(False, "weight_decay on norms, biases, positions and cluster centres, too")
    betas: Annotated[tuple[Beta, Beta], AsTuple] = setting((0.9, 0.999), "of adamw")
    warmup_epochs: NonNegative | None = setting(
        None,
        "epochs of linear warm-up, below trainer.max_epochs; null = a sixth of the epochs after the probe, at most 5",
    )
    warmup_lr: NonNegative = setting(0.0, "where the warm-up begins")
    optimizer: OptimizerName = setting("adamw", "AdamW, or SGD with momentum")
    momentum: Share = setting(0.9, "of sgd")
    nesterov: bool = setting(False, "of sgd")
    schedule: Schedule = setting(
        "cosine",
        "cosine: down to min_lr; constant; step: times milestone_factor at every milestone; poly: down to min_lr by a "
        "power of the share of steps that are left",
    )
    milestones: Numbers = setting((), "epochs after which step comes down, such as [11,14]")
    milestone_factor: PositiveShare = setting(0.1, "of step")
    poly_power: Positive = setting(0.9, "of poly; 1 = in a straight line")
    layer_decay: PositiveShare | None = setting(
        None, "learning rate of a layer over that of the layer behind it, such as 0.75; null = all alike"
    )
    backbone_lr_factor: Positive = setting(
        1.0,
        "learning rate of all but the head over the head's, such as 0.1; a detector's head is all but the backbone",
    )
    train: TrainedPart = setting(
        "all",
        "head: a linear probe; semantic: what makes the few tokens, and the head; the rest of the model stays as "
        "init_from has it",
    )
    probe_epochs: Natural = setting(
        0,
        "with init_from: in so many epochs the head is trained alone, at probe_lr, and then the whole model, by a "
        "schedule of its own over the other epochs",
    )
    probe_lr: Positive | None = setting(None, "learning rate of the probe, all the time; null = lr")
    sandwich: bool = setting(
        False,
        "of an elastic model: every step trains the costliest, the cheapest and one drawn choice; else one drawn",
    )
    sandwich_distill: Share = setting(
        0.0, "of the costliest choice's probabilities in the loss of the others, the labels have the rest"
    )
    ema_decay: PositiveShare | None = setting(
        None, "such as 0.9995: validate and keep the moving average of the weights; null = the weights"
    )
    class_weights: Weights | Literal["balanced"] | None = setting(
        None, "balanced: the fewer training videos a class has, the heavier; or a list, in class order"
    )
    label_smoothing: Share = setting(0.1, "share of the target that all classes have alike")

    def num_warmup_epochs(self, max_epochs: int) -> float:
        """Epochs of warm-up of a training of so many epochs, those of the probe included."""
        rest = max_epochs - self.probe_epochs
        return min(LONGEST_WARMUP, rest * WARMUP_SHARE) if self.warmup_epochs is None else self.warmup_epochs
