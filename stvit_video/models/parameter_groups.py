"""Which layer of a model a parameter is in, and which of its parameters are the head's or the slot's."""

from collections.abc import Iterator
from itertools import takewhile

from torch import nn

from stvit_video.models.checkpoints.fit import TIME_POSITIONS
from stvit_video.models.registry import layer_groups
from stvit_video.tokens.reducers.reducer_names import REDUCERS


def layer_depths(model: nn.Module) -> dict[str, int]:
    """The layer of every parameter, for a learning rate that falls towards the input.

    Patch embedding, class token and positions are layer 0, the L layers of blocks 1 to L, the last norm and the heads
    L + 1. A reducer has as many layers as blocks it stands for; one without weights has none. The temporal
    position that is added before the slot belongs to the layer behind it, the step down to the next level of a pyramid
    to the last layer before it.

    Args:
        model: one of ours (`create_model`).

    Returns:
        Parameter name -> layer, in the order of `named_parameters`.

    Raises:
        ValueError: the model is none of ours.

    Source: BEiT and VideoMAE (layer numbers of a ViT), SimMIM (of a Swin).
    """
    places, depths = _places(model), {}
    for name, _ in model.named_parameters():
        prefix = max((place for place in places if name.startswith(place)), key=len, default=None)
        if prefix is None:
            raise ValueError(
                f"{type(model).__name__} has a parameter {name} that is in no known layer; learning rates by layer "
                f"are for the models of create_model"
            )
        depths[name] = places[prefix]
    return depths


def head_parameters(model: nn.Module) -> set[str]:
    """Names of the parameters of the classifiers; of a model around a `backbone`, such as a detector, all others."""
    names = {name for name, _ in model.named_parameters()}
    if isinstance(getattr(model, "backbone", None), nn.Module):
        return {name for name in names if not name.startswith("backbone.")}
    return {name for name in names if name.startswith(layer_groups(model).heads)}


def learned_reducers() -> tuple[str, ...]:
    """Names of the reducers that have weights, as `model.reducer` says them."""
    return tuple(name for name, reducer in REDUCERS.items() if reducer.num_layers)


def slot_parameters(model: nn.Module) -> set[str]:
    """Names of the parameters that a model has for its few tokens.

    Those of the reducer and the temporal position before it, and of the recovery; in levels without attention
    (CAS-ViT) also those of the attention among the few tokens, where a dense model has nothing. Empty for dense models,
    and where neither the reducer has weights nor anything of the rest is there.
    """
    groups, prefixes = layer_groups(model), []
    for prefix, kinds in _runs(model):
        added = ("refine",) if groups.lacks_attention(kinds) else ()
        wanted = (*learned_reducers(), "recover", *added)
        prefixes += [f"{prefix}blocks.{index}." for index, kind in enumerate(kinds) if kind in wanted]
    if not prefixes:
        return set()
    return {name for name, _ in model.named_parameters() if name.startswith((TIME_POSITIONS, *prefixes))}


def num_layers(model: nn.Module) -> int:
    """The number L of layers of blocks, as `layer_depths` counts them."""
    return _places(model)[layer_groups(model).heads[0]] - 1


def _places(model: nn.Module) -> dict[str, int]:
    """Beginnings of parameter names with their layer."""
    groups = layer_groups(model)
    places = dict.fromkeys(groups.first, 0)
    depth = 0
    for prefix, kinds in _runs(model):
        places[f"{prefix}downsample."] = depth
        num_frame_blocks = len(tuple(takewhile(lambda kind: kind in groups.frame_kinds, kinds)))
        for index, kind in enumerate(kinds):
            if index == num_frame_blocks:
                places.setdefault(TIME_POSITIONS, depth + 1)
            num_own_layers = REDUCERS[kind].num_layers if kind in REDUCERS else 1
            if kind in REDUCERS:
                places |= {f"{prefix}blocks.{index}.layers.{i}.": depth + 1 + i for i in range(num_own_layers)}
            depth += num_own_layers
            places[f"{prefix}blocks.{index}."] = depth
    return places | dict.fromkeys((*groups.norms, *groups.heads), depth + 1)


def _runs(model: nn.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The prefix and the kinds of every run of blocks of a model, in order."""
    for name, module in model.named_modules():
        if isinstance(kinds := getattr(module, "kinds", None), tuple):
            yield (f"{name}." if name else ""), kinds
