"""Optimizer groups and the learning-rate schedule."""

from dataclasses import dataclass
from functools import partial
from math import cos, pi
from typing import Any

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

NO_DECAY_NAMES = ("cls_token", "pos_embed", "temporal_pos_embed", "centres", "bias_table", "gamma")


@dataclass(frozen=True, kw_only=True)
class OptimizerPlan:
    """AdamW with linear warm-up and one half cosine, stepped every batch.

    Attributes:
        lr: peak learning rate.
        min_lr: learning rate at the end.
        weight_decay: of weights; not of norms, biases, positions and cluster centres.
        betas: AdamW's.
        warmup_epochs: epochs of linear warm-up.
    """

    lr: float
    min_lr: float
    weight_decay: float
    betas: tuple[float, float]
    warmup_epochs: float

    def build(self, model: nn.Module, *, num_steps: int, max_epochs: int) -> dict[str, Any]:
        """What Lightning's `configure_optimizers` returns.

        Args:
            model: the model to train.
            num_steps: optimizer steps of the whole training.
            max_epochs: its epochs.
        """
        optimizer = AdamW(parameter_groups(model, weight_decay=self.weight_decay), lr=self.lr, betas=self.betas)
        factor = partial(
            learning_rate_factor,
            num_steps=num_steps,
            num_warmup_steps=round(num_steps * self.warmup_epochs / max_epochs),
            min_factor=self.min_lr / self.lr,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}}


def parameter_groups(model: nn.Module, *, weight_decay: float) -> list[dict[str, object]]:
    """Trainable parameters in two groups: decayed weights, and the rest.

    Norms, biases, gains, class token, positions (absolute and relative) and cluster centres are not decayed.

    Args:
        model: the model to train.
        weight_decay: of the decayed group.

    Returns:
        Groups for a torch optimizer, without empty ones.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decayed = [p for name, p in named if _is_decayed(name, p)]
    rest = [p for name, p in named if not _is_decayed(name, p)]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and name.rsplit(".", 1)[-1] not in NO_DECAY_NAMES


def learning_rate_factor(step: int, *, num_steps: int, num_warmup_steps: int, min_factor: float) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then half a cosine.

    Args:
        step: optimizer steps made so far, from 0.
        num_steps: optimizer steps of the whole training.
        num_warmup_steps: of these, the steps of the warm-up.
        min_factor: share at the end.

    Returns:
        A number in (0, 1]; 1 at the end of the warm-up.

    Source: Loshchilov and Hutter 2017 (SGDR), one cycle; warm-up of Goyal et al. 2017.
    """
    if step < num_warmup_steps:
        return (step + 1) / num_warmup_steps
    progress = min((step - num_warmup_steps) / max(num_steps - num_warmup_steps, 1), 1.0)
    return min_factor + (1.0 - min_factor) * 0.5 * (1.0 + cos(pi * progress))
