"""What a frame of a video costs a backbone whose semantic tokens are made on key frames alone."""

from torch import Tensor, nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.key_frames import clip_tokens

__all__ = ["gmacs_per_frame"]


class _TwoFrames(nn.Module):
    """A backbone on a key frame and a frame behind it."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, clip: Tensor) -> list[Tensor]:
        """(1, 3, 2, H, W) -> maps (2, C_i, H_i, W_i)."""
        return self.backbone(clip[0].movedim(1, 0), shared=clip_tokens(2, clip_frames=2))


def gmacs_per_frame(backbone: nn.Module, *, picture_size: tuple[int, int], key_every: int = 1) -> float:
    """Multiply-adds (in 1e9) of a backbone for a frame, the mean over a key frame and those that share its tokens.

    Args:
        backbone: from pictures (B, 3, H, W) to maps.
        picture_size: height and width in pixels of the padded picture.
        key_every: frames from one key frame to the next.

    Raises:
        ValueError: `key_every` is no whole number from 1 on, or the backbone has no tokens to share.
    """
    whole_number("key_every", key_every)
    height, width = picture_size
    of_key_frame = count_gmacs(backbone, (3, height, width))
    if key_every == 1:
        return of_key_frame
    behind = count_gmacs(_TwoFrames(backbone), (3, 2, height, width)) - of_key_frame
    return (of_key_frame + (key_every - 1) * behind) / key_every
