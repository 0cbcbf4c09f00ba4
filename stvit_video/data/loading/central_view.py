"""What a model sees of whole frames: the one central view of them, of streams and of pictures of tokens."""

from torch import Tensor

from stvit_video.data.sampling.protocol_rules import CropRule
from stvit_video.data.transforms.crops import crop_offsets
from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.data.transforms.preprocessing import Preprocessing


def central_view(frames: Tensor, preprocessing: Preprocessing, corners: CropRule = crop_offsets) -> Tensor:
    """Resize frames and cut out their centre.

    Args:
        frames: (n, H, W, 3) uint8.
        preprocessing: what the model is fed with.
        corners: place of the central crop.

    Returns:
        (n, 3, crop_size, crop_size) uint8, a view of the resized frames.
    """
    size = preprocessing.crop_size
    resized = resize_short_side(  # (n, 3, h, w)
        channels_first(frames), short_side=preprocessing.short_side, interpolation=preprocessing.interpolation
    )
    ((top, left),) = corners(*resized.shape[2:], crop_size=size, num_crops=1)
    return resized[..., top : top + size, left : left + size]
