"""Steps that train the costliest, the cheapest and one drawn choice of an elastic model together."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stvit_video.models.base import TokenModel
from stvit_video.training.distillation import Distillation

Heads = tuple[Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class Sandwich:
    """The sandwich rule, with or without distillation from the costliest choice to the others.

    Attributes:
        distill_weight: share of the costliest choice's probabilities in the loss of the others; the labels have the
            rest.

    Source: Yu and Huang 2019, "Universally Slimmable Networks and Improved Training Techniques" (arXiv:1903.05134),
        sections 3.1 and 3.3.
    """

    distill_weight: float = 0.0

    def step(
        self,
        model: TokenModel,
        forward: Callable[[], Heads],
        losses_of: Callable[[Heads], dict[str, Tensor]],
        *,
        generator: torch.Generator,
        multi_label: bool = False,
    ) -> tuple[Heads, dict[str, Tensor]]:
        """Run the choices of a step.

        Args:
            model: an elastic one; afterwards the drawn choice is in use.
            forward: gives the logits (B, num_classes) of every head, with the choice in use.
            losses_of: gives the losses of such heads, the one to minimise as "loss".
            generator: source of the drawn choice.
            multi_label: whether each logit has a probability of its own.

        Returns:
            The heads of the costliest choice, and the means of the losses over the choices.
        """
        first: Heads | None = None
        every: list[dict[str, Tensor]] = []
        for choice in model.sandwich_choices(generator=generator):
            model.use_choice(choice)
            heads = forward()
            losses = losses_of(heads)
            if first is not None and self.distill_weight:
                taught = Distillation().loss(heads[-1], first[-1].detach(), multi_label=multi_label)
                weight = self.distill_weight
                losses |= {"loss": (1 - weight) * losses["loss"] + weight * taught, "sandwich_loss": taught}
            first = heads if first is None else first
            every.append(losses)
        assert first is not None
        return first, _means(every)


def _means(every: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Of each loss over those choices that have it."""
    names = dict.fromkeys(name for losses in every for name in losses)
    return {name: torch.stack([losses[name] for losses in every if name in losses]).mean() for name in names}
