"""What a stream needs of a model: tokens of a step of frames, and logits of the tokens of a window."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from stvit_video.bundles.bundle_input import words_of_given
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.layers.numbers import whole_number

BYTES = "bytes are (n, H, W, 3) uint8 RGB"


@runtime_checkable
class StepModel(Protocol):
    """A model that is computed step by step: `TorchSteps`, or `BundleSteps` without torch.

    Attributes:
        classes: label names in the order of the logits.
        multi_label: True = each logit has a probability of its own (sigmoid).
        preprocessing: frames of a window, their distance and sizes.
        frames_per_step: frames whose tokens are computed together, a tubelet.
        num_frames: frames of a window.
    """

    classes: tuple[str, ...]
    multi_label: bool
    preprocessing: Preprocessing
    frames_per_step: int

    @property
    def num_frames(self) -> int:
        """Frames of a window."""

    @property
    def generate_at(self) -> int | None:
        """What tells tokens that belong together: those encoded at another place are of no use."""

    def checked(self, frames: Any) -> Any:
        """What a caller pushes, n frames -> the same with time first, (n, ...); nothing is computed yet.

        Raises:
            ValueError: frames that the model does not take.
        """

    def preprocess(self, frames: Any) -> Any:
        """Checked frames (n, ...), n >= 1 -> n frames as the model sees them, resized, cropped and so on."""

    def encode(self, frames: Any) -> Any:
        """Preprocessed frames of S whole steps (S * frames_per_step, ...) -> their tokens (S, *grid, C)."""

    def decide(self, tokens: Any) -> np.ndarray:
        """Tokens of the steps of a window in order, (T, *grid, C) -> logits (num_classes,) float32."""

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """Run with another number of semantic tokens from now on.

        Raises:
            ValueError: the model can't.
        """

    def set_generate_at(self, place: int) -> None:
        """Generate tokens behind that many blocks from now on.

        Raises:
            ValueError: the model can't.
        """


def require_bytes(frames: Any, *, otherwise: str) -> None:
    """Raise unless these are frames in bytes, of any size and number.

    Args:
        frames: an array of numpy or a tensor.
        otherwise: what else could be given, for the error.

    Raises:
        ValueError: they are not.
    """
    is_bytes = str(frames.dtype).endswith("uint8") and frames.ndim == 4 and frames.shape[-1] == 3
    if not is_bytes or 0 in frames.shape[1:]:
        raise not_frames(frames, f"{BYTES}, {otherwise}")


def not_frames(given: Any, allowed: str) -> ValueError:
    """The error for what came in place of frames; one frame, and a list of frames, are told how they are pushed.

    Args:
        given: what came.
        allowed: what frames are.
    """
    words, way = words_of_given(given), ""
    if isinstance(given, (list, tuple)) and given and all(hasattr(one, "shape") for one in given):
        words, way = (
            f"a {type(given).__name__} of {len(given)}, the first {words_of_given(given[0])},",
            "np.stack(frames)",
        )
    elif getattr(given, "ndim", 0) == 3 and given.shape[-1] == 3:
        way = "frame[None]"
    return ValueError(f"{words} came as frames; {allowed}{f'; push {way}' if way else ''}")


def require_stride(stride_frames: int, *, frames_per_step: int) -> int:
    """Frames between two answers of a stream, once they are a multiple of a step.

    Raises:
        ValueError: they are not.
    """
    if whole_number("stride_frames", stride_frames) % frames_per_step:
        raise ValueError(
            f"stride_frames={stride_frames} is no multiple of the {frames_per_step} frames of a tubelet, whose tokens "
            f"are computed together; use {-(-stride_frames // frames_per_step) * frames_per_step}"
        )
    return stride_frames
