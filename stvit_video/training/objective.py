"""What a model is trained for: loss and metrics of clips with one label each, or with several."""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy
from torchmetrics.utilities import dim_zero_cat

from stvit_video.data.transforms.mixup import Mix, dominant_labels, mix_targets
from stvit_video.evaluation.metrics import average_precisions
from stvit_video.evaluation.multiview import aggregate_views


class SingleLabel(nn.Module):
    """One label a clip: cross-entropy, top-1 and top-5; labels are (B,) int64.

    Under mixing no clip shows one class alone, so "top1" counts the unmixed batches only; of the mixed ones
    "top1_mixed" counts how often the class with the larger share comes first.

    Args:
        num_classes: number of classes.
        label_smoothing: share of the target that is spread over all classes.
        class_weights: what each class counts in the loss of training clips, see `class_weights`; None = all alike.
    """

    monitor = "val/top1"
    weights: Tensor | None

    def __init__(
        self, num_classes: int, *, label_smoothing: float, class_weights: tuple[float, ...] | None = None
    ) -> None:
        super().__init__()
        self.num_classes, self.label_smoothing = num_classes, label_smoothing
        self.register_buffer("weights", _weights(class_weights), persistent=False)
        make_accuracy = partial(MulticlassAccuracy, num_classes=num_classes, average="micro")
        self.train_top1, self.train_top1_mixed = make_accuracy(), make_accuracy()
        self.val_top1 = make_accuracy()
        self.val_top5 = make_accuracy(top_k=min(5, num_classes))

    def loss(self, logits: Tensor, labels: Tensor, mix: Mix | None) -> Tensor:
        """Loss of training clips; `mix` is what was done to them.

        With class weights it is the sum of the weighted losses over the number of clips: over the sum of the weights,
        as torch has it, a batch shared out over several processes would have another loss.
        """
        targets = labels if mix is None else mix_targets(labels, mix, num_classes=self.num_classes)
        if self.weights is not None and mix is None:
            targets = F.one_hot(labels, self.num_classes).float()
        return F.cross_entropy(logits, targets, weight=self.weights, label_smoothing=self.label_smoothing)

    def count(self, logits: Tensor, labels: Tensor, mix: Mix | None) -> dict[str, tuple[Metric, Tensor]]:
        """Metrics of training clips by name, updated, each with its value of this batch."""
        if mix is None:
            return {"top1": (self.train_top1, self.train_top1(logits, labels))}
        return {"top1_mixed": (self.train_top1_mixed, self.train_top1_mixed(logits, dominant_labels(labels, mix)))}

    def validate(self, view_logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of videos (B, V, num_classes) by the mean probabilities of their views; updates `val_metrics`."""
        scores = aggregate_views(view_logits, average="prob")
        self.val_top1(scores, labels)
        self.val_top5(scores, labels)
        return F.nll_loss(scores.clamp_min(1e-12).log(), labels)

    def validate_none(self) -> None:
        """Take part in the metrics of all processes without a video of one's own; sums need nothing."""

    @property
    def val_metrics(self) -> dict[str, Metric]:
        """Metrics of the validation by name, the main one first."""
        return {"top1": self.val_top1, "top5": self.val_top5}


class MultiLabel(nn.Module):
    """Several labels a clip, or none: binary cross-entropy of each, and mAP; labels are (B, num_classes), 0 or 1.

    Args:
        num_classes: number of classes.
        label_smoothing: s; the targets are then s / 2 and 1 - s / 2.
        class_weights: what a clip that has the label counts, against one that has it not, in the loss of training
            clips; None = the same.
    """

    monitor = "val/mAP"
    weights: Tensor | None

    def __init__(
        self, num_classes: int, *, label_smoothing: float, class_weights: tuple[float, ...] | None = None
    ) -> None:
        super().__init__()
        self.num_classes, self.label_smoothing = num_classes, label_smoothing
        self.register_buffer("weights", _weights(class_weights), persistent=False)
        self.val_map = MeanAveragePrecision()

    def loss(self, logits: Tensor, labels: Tensor, mix: Mix | None) -> Tensor:
        """Loss of training clips, the mean over clips and classes; `mix` is what was done to them."""
        targets = labels if mix is None else mix_targets(labels, mix, num_classes=self.num_classes)
        targets = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=self.weights)

    def count(self, logits: Tensor, labels: Tensor, mix: Mix | None) -> dict[str, tuple[Metric, Tensor]]:
        """No metric of training clips: average precision of a batch says little."""
        return {}

    def validate(self, view_logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of videos (B, V, num_classes) by the mean probabilities of their views; updates `val_metrics`."""
        self.val_map.update(aggregate_views(view_logits, average="prob", multi_label=True), labels > 0.5)
        log_num_views = math.log(view_logits.shape[1])
        yes = F.logsigmoid(view_logits).logsumexp(dim=1) - log_num_views  # (B, num_classes)
        no = F.logsigmoid(-view_logits).logsumexp(dim=1) - log_num_views  # (B, num_classes)
        return -(labels * yes + (1 - labels) * no).mean()

    def validate_none(self) -> None:
        """Take part in the metrics of all processes without a video of one's own; lists need the number of classes."""
        none = torch.zeros(0, self.num_classes, device=self.val_map.device)
        self.val_map.update(none, none > 0)

    @property
    def val_metrics(self) -> dict[str, Metric]:
        """Metrics of the validation by name, the main one first."""
        return {"mAP": self.val_map}


Objective = SingleLabel | MultiLabel


def _weights(class_weights: tuple[float, ...] | None) -> Tensor | None:
    return None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)


class MeanAveragePrecision(Metric):
    """Mean average precision as `stvit_video.evaluation.metrics` defines it, over all videos of all processes.

    NaN where no video has any label, as can be in the few of a sanity check.
    """

    full_state_update = False
    higher_is_better = True
    scores: Any
    targets: Any

    def __init__(self) -> None:
        super().__init__()
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("targets", default=[], dist_reduce_fx="cat")

    def update(self, scores: Tensor, targets: Tensor) -> None:
        """Add videos.

        Args:
            scores: (B, num_classes), higher = likelier.
            targets: (B, num_classes) bool, True = the video has the label.
        """
        self.scores.append(scores)
        self.targets.append(targets)

    def compute(self) -> Tensor:
        """The mean over the classes that have videos.

        Raises:
            ValueError: scores that are not finite.
        """
        scores, targets = dim_zero_cat(self.scores), dim_zero_cat(self.targets)
        each = average_precisions(scores.cpu(), targets.cpu())
        return each.nanmean().to(scores.device, torch.float32)
