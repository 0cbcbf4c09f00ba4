"""What is done to clips on the model's device: normalisation, erasing, and pixel operations where these are left."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stvit_video.data.transforms.functional import finish_clips
from stvit_video.data.transforms.pixel_augment import Draw, erase_
from stvit_video.data.transforms.pixel_ops import apply_ops
from stvit_video.data.transforms.preprocessing import Preprocessing


@dataclass(frozen=True)
class DeviceTransform:
    """Finishes the `CroppedClip`s of `TrainTransform`, each with its own parameters, and the views of `ViewDataset`.

    The parameters were drawn in the loader, from (seed, epoch, index); on a CPU the result is bit for bit the same
    for `TrainTransform(on_device=True)` and False. On a GPU operations round a little otherwise, and erased boxes
    hold other noise.

    Attributes:
        preprocessing: normalisation.
    """

    preprocessing: Preprocessing

    def __call__(self, clips: torch.Tensor, draws: Sequence[Draw] | None = None) -> torch.Tensor:
        """Finish a batch where it is.

        Args:
            clips: (B, 3, T, H, W) uint8; is left as it is.
            draws: of each clip; None = nothing was drawn, as for views.

        Returns:
            (B, 3, T, H, W) float32.

        Raises:
            ValueError: there is not one draw for each clip, or the clips are not uint8.
        """
        draws = [Draw()] * len(clips) if draws is None else draws
        if clips.dtype != torch.uint8 or clips.ndim != 5 or len(draws) != len(clips):
            raise ValueError(
                f"clips are {clips.dtype} of shape {tuple(clips.shape)} with {len(draws)} draws; needed are "
                "torch.uint8 (B, 3, T, H, W) and B draws, as TrainTransform makes them"
            )
        with torch.autocast(clips.device.type, enabled=False):  # half precision would misplace pixels
            return self._finished(clips, draws)

    def _finished(self, clips: torch.Tensor, draws: Sequence[Draw]) -> torch.Tensor:
        if any(draw.ops for draw in draws):
            clips = torch.stack([_with_ops(clip, draw) for clip, draw in zip(clips, draws, strict=True)])
        finished = finish_clips(clips, self.preprocessing)
        for clip, draw in zip(finished, draws, strict=True):
            erase_(clip, draw)
        return finished


def _with_ops(clip: torch.Tensor, draw: Draw) -> torch.Tensor:
    return apply_ops(clip.transpose(0, 1), draw.ops).transpose(0, 1)  # by way of (T, 3, H, W)
