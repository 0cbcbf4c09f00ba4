"""How weights of other projects are told by their keys and renamed to ours; a family's formats are in its own file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Format:
    """A foreign layout of weights.

    Args:
        name: for reports, such as "timm Swin".
        matches: whether a state dict is of this layout, told by its keys and shapes alone.
        convert: the state dict with our dense model's keys (of STViT-R: our STViT-R's), every size read from keys and
            shapes. Keys it does not know stay as they are; entries that a model computes by itself (index buffers,
            attention masks) are left out.
        positions: the position table (1, N, C) of N tokens and C channels, where the layout stores none.
    """

    name: str
    matches: Callable[[Mapping[str, Tensor]], bool]
    convert: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    positions: Callable[[int, int], Tensor] | None = None
