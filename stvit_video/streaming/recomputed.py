"""The sliding window without reuse, for any classifier: at each answer the model runs on the whole window."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.loading.central_view import central_view
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.functional import finish_clips
from stvit_video.inference.model_input import tensor_of
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.streaming.step_models import BYTES, not_frames, require_bytes

WAY_OUT = "floats are for a model that is computed step by step"


class RecomputedSteps:
    """A `StepModel` whose tokens are the frames themselves, so that a window is computed anew at each answer.

    Also for what can't be streamed: image models, models that mix time from the start, frame differences. For others
    the logits are those of the stream, later. Give it to a `StreamingRecognizer`.

    Args:
        trained: the checkpoint in use.
    """

    frames_per_step = 1

    def __init__(self, trained: TrainedModel) -> None:
        self.model: Any = trained.model
        self.classes, self.multi_label, self.preprocessing = trained.classes, trained.multi_label, trained.preprocessing
        self._corners = find_protocol(trained.protocol.name).corners

    @property
    def num_frames(self) -> int:
        """See `StepModel`."""
        return self.preprocessing.num_frames

    @property
    def generate_at(self) -> None:
        """Frames stay the same wherever tokens are generated."""
        return

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """See `StepModel`."""
        self.model.set_num_tokens(num_tokens)

    def set_generate_at(self, place: int) -> None:
        """See `StepModel`."""
        self.model.set_generate_at(place)

    def checked(self, frames: Any) -> Tensor:
        """See `StepModel`; (n, H, W, 3) uint8 stays, floats are refused."""
        if not isinstance(frames, (np.ndarray, Tensor)):
            raise not_frames(frames, f"{BYTES}, {WAY_OUT}")
        require_bytes(frames, otherwise=WAY_OUT)
        return frames if isinstance(frames, Tensor) else tensor_of(frames)

    def preprocess(self, frames: Tensor) -> Tensor:
        """Frames (n, H, W, 3) uint8 -> (n, 3, crop_size, crop_size) uint8 on the model's device."""
        return central_view(frames, self.preprocessing, self._corners).to(next(self.model.parameters()).device)

    def encode(self, frames: Tensor) -> Tensor:
        """The frames as they are."""
        return frames

    @torch.inference_mode()
    def decide(self, tokens: Tensor) -> np.ndarray:
        """Frames of a window (T, 3, crop_size, crop_size) uint8 -> logits (num_classes,) float32."""
        clip = finish_clips(tokens.movedim(0, 1)[None], self.preprocessing)  # (1, 3, T, H, W)
        weight = next(self.model.parameters())
        return self.model(clip.to(weight.dtype))[0].float().cpu().numpy()
