"""A checkpoint, or a bare model, that torch computes step by step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.loading.central_view import central_view
from stvit_video.data.sampling.protocol_rules import CropRule
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.crops import crop_offsets
from stvit_video.data.transforms.functional import normalise
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.model_input import tensor_of
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.models.base import TokenModel
from stvit_video.streaming.model_halves import decide_steps, encode_steps, frames_per_step
from stvit_video.streaming.step_models import BYTES, not_frames, require_bytes
from stvit_video.streaming.why_not_streamed import require_streamable

MOST_TIMES_RANGE = 16  # of floats: how far beyond what normalised bytes can be


class TorchSteps:
    """A `StepModel` that torch computes, on the device and in the type that the model has at the moment.

    Frames are (n, H, W, 3) uint8, resized and cropped as for a single central view, or (C, n, H, W) float, as a clip
    of the model is. The model may serve several streams; what is set here is set for all of them.

    Args:
        model: in eval mode.
        preprocessing: what it is fed with.
        classes: label names in the order of the logits; None = their numbers.
        multi_label: True = each logit has a probability of its own.
        corners: place of the central crop.

    Raises:
        ValueError: the model can't be computed step by step, or is in training.
    """

    def __init__(
        self,
        model: TokenModel,
        preprocessing: Preprocessing,
        *,
        classes: Sequence[str] | None = None,
        multi_label: bool = False,
        corners: CropRule = crop_offsets,
    ) -> None:
        require_streamable(model, preprocessing)
        head: Any = model.head
        self.model: Any = model
        self.preprocessing, self.multi_label, self.corners = preprocessing, multi_label, corners
        self.classes = tuple(classes or map(str, range(head.out_features)))
        self.frames_per_step = frames_per_step(model)
        if preprocessing.num_frames % self.frames_per_step:
            raise ValueError(
                f"num_frames={preprocessing.num_frames} of the preprocessing is no multiple of the "
                f"{self.frames_per_step} frames of a tubelet; give the number that the model was trained with"
            )
        self._require_eval()
        largest = max(max(m, 1 - m) / s for m, s in zip(preprocessing.mean, preprocessing.std, strict=True))
        self._largest_float = MOST_TIMES_RANGE * largest

    @property
    def num_frames(self) -> int:
        """See `StepModel`."""
        return self.preprocessing.num_frames

    @property
    def generate_at(self) -> int | None:
        """See `StepModel`."""
        return self.model.generate_at

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """See `StepModel`."""
        self.model.set_num_tokens(num_tokens)

    def set_generate_at(self, place: int) -> None:
        """See `StepModel`."""
        self.model.set_generate_at(place)

    def checked(self, frames: Any) -> Tensor:
        """See `StepModel`; (n, H, W, 3) uint8 stays, (C, n, H, W) float becomes (n, C, H, W)."""
        self._require_eval()
        if not hasattr(frames, "dtype") or str(frames.dtype).startswith(("<U", "object")):
            raise not_frames(frames, f"{BYTES}, {self._floats}")
        tensor = frames if isinstance(frames, Tensor) else tensor_of(np.asarray(frames))
        if not tensor.is_floating_point():
            require_bytes(frames, otherwise=self._floats)
            return tensor
        size = self.preprocessing.crop_size
        if tensor.ndim != 4 or tensor.shape[0] != self.model.in_channels or tensor.shape[2:] != (size, size):
            raise not_frames(frames, f"{self._floats}, {BYTES}")
        if tensor.numel():
            self._require_range(tensor)
        return tensor.movedim(1, 0)  # (n, C, H, W)

    def preprocess(self, frames: Tensor) -> Tensor:
        """Checked frames (n, ...) -> (n, C, H, W) float32 on the model's device."""
        weight = next(self.model.parameters())
        if frames.is_floating_point():
            return frames.to(weight.device, torch.float32)
        sizes = self.preprocessing
        cropped = central_view(frames, sizes, self.corners).to(weight.device)  # (n, 3, H, W)
        return normalise(cropped.unsqueeze(2), mean=sizes.mean, std=sizes.std).squeeze(2)

    @torch.inference_mode()
    def encode(self, frames: Tensor) -> Tensor:
        """Frames (S * frames_per_step, C, H, W) -> tokens (S, *grid, C)."""
        weight = next(self.model.parameters())
        clip = frames.to(weight.device, weight.dtype).movedim(0, 1)[None]  # (1, C, S * frames_per_step, H, W)
        return encode_steps(self.model, clip)[0]

    @torch.inference_mode()
    def decide(self, tokens: Tensor) -> np.ndarray:
        """Tokens (T, *grid, C) -> logits (num_classes,) float32."""
        return decide_steps(self.model, tokens[None])[0].cpu().numpy()

    @property
    def _floats(self) -> str:
        size = self.preprocessing.crop_size
        return f"floats are ({self.model.in_channels}, n, {size}, {size}), normalised as in training"

    def _require_eval(self) -> None:
        if self.model.training:
            raise ValueError("the model is in training, where its logits are drawn; call its eval() first")

    def _require_range(self, floats: Tensor) -> None:
        """Raise on NaN, infinity, and values that no normalised frame has."""
        low, high = (float(value) for value in floats.aminmax())  # NaN where there is one
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("the frames have NaN or infinite values; leave such frames out")
        if max(-low, high) > self._largest_float:
            raise ValueError(
                f"the frames are floats from {low:.4g} to {high:.4g}, and normalised ones are in +-"
                f"{self._largest_float / MOST_TIMES_RANGE:.2f}; normalise them as in training, or push bytes, which is "
                "done for you"
            )


def steps_of(given: object, preprocessing: Preprocessing | None = None) -> TorchSteps:
    """A `Recognizer`, or a bare model with what it is fed with, step by step.

    Raises:
        ValueError: it is neither, or can't be computed step by step.
    """
    if isinstance(given, TrainedModel):
        if preprocessing is not None:
            raise ValueError("preprocessing is for a bare model, a Recognizer has its own; leave it out")
        return TorchSteps(
            given.model,
            given.preprocessing,
            classes=given.classes,
            multi_label=given.multi_label,
            corners=find_protocol(given.protocol.name).corners,
        )
    if not isinstance(given, TokenModel):
        raise ValueError(
            f"{given!r:.80} of type {type(given).__name__} can't be streamed; give a checkpoint or a Recognizer of a "
            "stvit_video_deit_ or stvit_video_casvit_ model, such a model with preprocessing, or a bundle that was "
            "exported with streaming=true"
        )
    if preprocessing is None:
        raise ValueError("a bare model does not say what it is fed with; give preprocessing, too, or its checkpoint")
    return TorchSteps(given, preprocessing)
