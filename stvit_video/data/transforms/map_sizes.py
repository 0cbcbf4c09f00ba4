"""Sizes in pixels of pictures for semantic segmentation: resized as a whole, to multiples of a number of pixels."""

from dataclasses import dataclass

from stvit_video.data.transforms.picture_sizes import DIVISOR, PictureSizes

__all__ = ["MapSizes"]


@dataclass(frozen=True, kw_only=True)
class MapSizes(PictureSizes):
    """What a segmenter must be fed with; stored in its checkpoint.

    Attributes:
        short_side: pixels of the short side.
        long_side: most pixels of the long side; of a longer picture the short side gets fewer.
        divisor: both sides of a picture of a test are then enlarged to multiples of this, which changes its shape a
            little; 1 = the shape is kept, and batches are padded.

    Raises:
        ValueError: a value is out of range.

    Source: AlignResize of CAS-ViT's segmentation.
    Differs: it resizes twice, first with the shape kept; here pictures are resized once, to the same size.
    """

    short_side: int = 512
    long_side: int = 2048
    divisor: int = DIVISOR

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.divisor < 1:
            raise ValueError(f"divisor={self.divisor} must be at least 1")

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture of a test as the model sees it."""
        tall, wide = super().size_of(height, width)
        return -(-tall // self.divisor) * self.divisor, -(-wide // self.divisor) * self.divisor
