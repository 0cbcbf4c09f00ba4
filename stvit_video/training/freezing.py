"""Training a part of a model: what is frozen keeps its weights and works as in evaluation."""

from collections.abc import Collection

from torch import nn

from stvit_video.models.parameter_groups import head_parameters, learned_reducers, slot_parameters
from stvit_video.utils.choices import TrainedPart


def freeze_all_but(model: nn.Module, part: TrainedPart) -> None:
    """Take the gradients from all parameters outside a part; an optimizer is built of the rest.

    Args:
        model: one of ours.
        part: "all"; "head" = the classifiers, a linear probe; "semantic" = these, and what makes the few tokens
            (`stvit_video.models.parameter_groups.slot_parameters`).

    Raises:
        ValueError: another part, or one that the model does not have.
    """
    if part == "all":
        return
    trained = head_parameters(model)
    if not trained:
        raise ValueError(
            f"optim.train={part} trains the head, and {type(model).__name__} has none; use optim.train=all"
        )
    if part == "semantic":
        slot = slot_parameters(model)
        if not slot:
            raise ValueError(
                "optim.train=semantic trains what makes the semantic tokens, and this model has no weights for that; "
                f"use a stvit_ model with model.reducer={' or '.join(learned_reducers())}, or optim.train=head"
            )
        trained |= slot
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name in trained


def put_frozen_in_eval(model: nn.Module) -> None:
    """Put every module that has parameters, all of them frozen, in eval mode with all that is in it.

    So its batch norms keep and use their running statistics, and its drop path and dropout do nothing. Modules without
    parameters beside trained ones, such as the dropout before the head, stay as they are.
    """
    put_in_eval_but(model, {name for name, parameter in model.named_parameters() if parameter.requires_grad})


def put_in_eval_but(model: nn.Module, trained: Collection[str]) -> None:
    """As `put_frozen_in_eval`, where all parameters but the named ones count as frozen.

    Args:
        model: any.
        trained: names of parameters.
    """
    for name, child in model.named_children():
        own = {key.removeprefix(f"{name}.") for key in trained if key.startswith(f"{name}.")}
        if not own and any(True for _ in child.parameters()):
            child.eval()
        elif own:
            put_in_eval_but(child, own)
