"""The optimizer, its groups of parameters, and the learning-rate schedule."""

from dataclasses import dataclass
from functools import partial
from math import cos, pi
from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from stvit_video.models.parameter_groups import head_parameters, layer_depths, num_layers
from stvit_video.utils.choices import OptimizerName, Schedule

NO_DECAY_NAMES = ("cls_token", "pos_embed", "temporal_pos_embed", "centres", "bias_table", "gamma")


@dataclass(frozen=True, kw_only=True)
class OptimizerRecipe:
    """AdamW or SGD; linear warm-up, then a schedule, stepped every batch.

    Attributes:
        lr: peak learning rate, of the head; layers before it may have less.
        min_lr: learning rate at the end of the half cosine and of "poly".
        weight_decay: of weights; not of norms, biases, positions and cluster centres.
        decay_all: of those, too.
        betas: AdamW's.
        warmup_epochs: epochs of linear warm-up.
        warmup_lr: learning rate that the warm-up begins above.
        optimizer: "adamw" or "sgd".
        momentum: SGD's.
        nesterov: whether that is Nesterov's.
        schedule: after the warm-up "cosine" = half a cosine down to `min_lr`; "constant" = the peak; "step" = times
            `milestone_factor` at every milestone; "poly" = down to `min_lr`, see `learning_rate_factor`.
        milestones: epochs after which "step" comes down.
        milestone_factor: by what.
        poly_power: of "poly".
        layer_decay: learning rate of a layer over that of the layer behind it; None = all alike.
        backbone_lr_factor: learning rate of all but the heads over theirs; a detector's neck is one of its heads.
        probe_epochs: epochs before the warm-up, at `probe_lr`; the schedule is over the epochs after them.
        probe_lr: learning rate of these epochs; None = `lr`.
    """

    lr: float
    min_lr: float
    weight_decay: float
    betas: tuple[float, float]
    warmup_epochs: float
    decay_all: bool = False
    warmup_lr: float = 0.0
    optimizer: OptimizerName = "adamw"
    momentum: float = 0.9
    nesterov: bool = False
    schedule: Schedule = "cosine"
    milestones: tuple[float, ...] = ()
    milestone_factor: float = 0.1
    poly_power: float = 0.9
    layer_decay: float | None = None
    backbone_lr_factor: float = 1.0
    probe_epochs: int = 0
    probe_lr: float | None = None

    def build(self, model: nn.Module, *, num_steps: int, max_epochs: int) -> dict[str, Any]:
        """What Lightning's `configure_optimizers` returns.

        Args:
            model: the model to train; what of it is frozen is left out.
            num_steps: optimizer steps of the whole training.
            max_epochs: its epochs.
        """
        optimizer = self._optimizer(model)
        num_probe_steps = round(num_steps * self.probe_epochs / max_epochs)
        after_probe = partial(
            learning_rate_factor,
            num_steps=num_steps - num_probe_steps,
            num_warmup_steps=round(num_steps * self.warmup_epochs / max_epochs),
            min_factor=self.min_lr / self.lr,
            start_factor=self.warmup_lr / self.lr,
            schedule=self.schedule,
            milestone_steps=tuple(round(num_steps * epoch / max_epochs) - num_probe_steps for epoch in self.milestones),
            milestone_factor=self.milestone_factor,
            poly_power=self.poly_power,
        )
        probe_factor = 1.0 if self.probe_lr is None else self.probe_lr / self.lr

        def factor(step: int) -> float:
            return probe_factor if step < num_probe_steps else after_probe(step - num_probe_steps)

        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}}

    def _optimizer(self, model: nn.Module) -> Optimizer:
        shares = learning_rate_shares(model, layer_decay=self.layer_decay, backbone_lr_factor=self.backbone_lr_factor)
        groups = parameter_groups(
            model, weight_decay=self.weight_decay, decay_all=self.decay_all, lr=self.lr, shares=shares
        )
        if self.optimizer == "sgd":
            return SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov)
        return AdamW(groups, lr=self.lr, betas=self.betas)


def learning_rate_shares(
    model: nn.Module, *, layer_decay: float | None, backbone_lr_factor: float = 1.0
) -> dict[str, float]:
    """The share of the learning rate that each parameter gets; those that are not named get all of it.

    Args:
        model: the model to train, for `layer_decay` one of ours.
        layer_decay: d; of L layers of blocks, layer i gets d^(L + 1 - i), see `layer_depths`. None = all alike.
        backbone_lr_factor: share of all but the heads, see `head_parameters`.

    Raises:
        ValueError: `layer_decay` for a model that is none of ours.

    Source: layer decay of BEiT (Bao et al. 2021) and VideoMAE; the factor is Video Swin's.
    """
    if layer_decay is not None:
        last = num_layers(model) + 1
        return {name: layer_decay ** (last - depth) for name, depth in layer_depths(model).items()}
    if backbone_lr_factor == 1:
        return {}
    heads = head_parameters(model)
    return {name: backbone_lr_factor for name, _ in model.named_parameters() if name not in heads}


def parameter_groups(
    model: nn.Module,
    *,
    weight_decay: float,
    decay_all: bool = False,
    lr: float | None = None,
    shares: dict[str, float] | None = None,
) -> list[dict[str, Any]]:
    """Trainable parameters in groups: for each learning rate, the decayed weights, and the rest.

    Norms, biases, gains, class token, positions (absolute and relative) and cluster centres are not decayed, unless
    `decay_all` says so.

    Args:
        model: the model to train.
        weight_decay: of the decayed groups.
        decay_all: whether every parameter is decayed.
        lr: the peak learning rate; needed with `shares`.
        shares: of the learning rate, by parameter name; the others get all of it.

    Returns:
        Groups for a torch optimizer, without empty ones; the smallest learning rate first, decayed before the rest.
    """
    shares = shares or {}
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, p in named:
        groups.setdefault((shares.get(name, 1.0), not (decay_all or _is_decayed(name, p))), []).append(p)
    return [
        {"params": groups[key], "weight_decay": 0.0 if key[1] else weight_decay}
        | ({} if lr is None else {"lr": lr * key[0]})
        for key in sorted(groups)
    ]


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and name.rsplit(".", 1)[-1] not in NO_DECAY_NAMES


def learning_rate_factor(
    step: int,
    *,
    num_steps: int,
    num_warmup_steps: int,
    min_factor: float,
    start_factor: float = 0.0,
    schedule: Schedule = "cosine",
    milestone_steps: tuple[int, ...] = (),
    milestone_factor: float = 0.1,
    poly_power: float = 0.9,
) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then the schedule.

    Args:
        step: optimizer steps made so far, from 0.
        num_steps: optimizer steps of the whole training.
        num_warmup_steps: of these, the steps of the warm-up.
        min_factor: share at the end of the cosine and of "poly".
        start_factor: share that the warm-up begins above, by an equal part a step.
        schedule: what follows, see `OptimizerRecipe`.
        milestone_steps: steps from which "step" is lower.
        milestone_factor: by what.
        poly_power: p of "poly", whose share of the way down to `min_factor` at step i of n is (1 - i / n)^p. It counts
            the steps of the warm-up, during which its value is what the warm-up rises to.

    Returns:
        A number in [0, 1]; 1 at the end of the warm-up, of "poly" somewhat less.

    Source: Loshchilov and Hutter 2017 (SGDR), one cycle; warm-up of Goyal et al. 2017; poly with its warm-up as
        mmsegmentation 0.x and mmcv 1.x compute it.
    """
    poly = schedule == "poly"
    top = _poly_factor(step, num_steps=num_steps, min_factor=min_factor, power=poly_power) if poly else 1.0
    if step < num_warmup_steps:
        return top * (start_factor + (1.0 - start_factor) * (step + 1) / num_warmup_steps)
    if schedule in ("constant", "poly"):
        return top
    if schedule == "step":
        return milestone_factor ** sum(step >= milestone for milestone in milestone_steps)
    progress = min((step - num_warmup_steps) / max(num_steps - num_warmup_steps, 1), 1.0)
    return min_factor + (1.0 - min_factor) * 0.5 * (1.0 + cos(pi * progress))


def _poly_factor(step: int, *, num_steps: int, min_factor: float, power: float) -> float:
    left = 1.0 - min(step / max(num_steps, 1), 1.0)
    return min_factor + (1.0 - min_factor) * left**power
