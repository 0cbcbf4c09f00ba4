"""A row of the comparison: which model, of which library, for which input, and which dense model it stands beside."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OURS = "stvit_video"
IN_CHANNELS = 3
NUM_CLASSES = {True: 400, False: 1000}  # of clips as in Kinetics-400, of images as in ImageNet


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """One model of the comparison.

    Attributes:
        label: what the table calls it; no two rows share one.
        library: that has the model, by the name of its module.
        name: of the model in `create_model`, or among the peers.
        input_size: (T, H, W) frames and pixels or (H, W) pixels that are asked for.
        baseline: the label of the dense model that it is compared with; its own where it is that one.
        options: of `create_model`, for models of ours.
        own_input: the size that a peer was made for, used where it can't take `input_size`; None = no other.
        keeps_norms: True = batch norms stay in its exported graphs; False = they are folded into convolutions.
    """

    label: str
    library: str
    name: str
    input_size: tuple[int, ...]
    baseline: str
    options: Mapping[str, Any] = field(default_factory=dict)
    own_input: tuple[int, ...] | None = None
    keeps_norms: bool = False

    @property
    def is_video(self) -> bool:
        """Whether the input is a clip."""
        return len(self.input_size) == 3

    @property
    def is_ours(self) -> bool:
        """Whether it is a model of this package."""
        return self.library == OURS

    def to_message(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {**asdict(self), "options": dict(self.options)}


def row_from_message(message: Mapping[str, Any]) -> ModelRow:
    """The row of a message of `to_message` that has been JSON."""
    sizes = {name: tuple(message[name]) if message[name] else None for name in ("input_size", "own_input")}
    return ModelRow(**{**message, **sizes})
