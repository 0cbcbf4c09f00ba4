"""A state dict on its way to a model: the keys that mean something, and what happened to each."""

from dataclasses import dataclass, field

from torch import Tensor

POSITIONS = "pos_embed"
TIME_POSITIONS = "temporal_pos_embed"
CLASS_TOKEN = "cls_token"
DISTILLATION_TOKEN = "dist_token"  # of a distilled DeiT, behind the class token
DISTILLATION_HEAD = "head_dist."
PATCHES = "patch_embed.proj.weight"


@dataclass
class Fit:
    """A state dict on its way to a model, and what happened to it.

    Args:
        state: tensors by the model's keys.
        inflated: keys of image weights that were spread over time.
        interpolated: keys of tables that were resized.
        new: keys of the model that keep its fresh weights.
        unused: keys of the checkpoint that the model has no place for, by design.
    """

    state: dict[str, Tensor]
    inflated: list[str] = field(default_factory=list)
    interpolated: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
