"""Sizes in pixels of pictures for dense tasks: resized as a whole, never cut, and padded to batches."""

from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from stvit_video.data.transforms.preprocessing import IMAGENET_MEAN, IMAGENET_STD

__all__ = ["PictureSizes", "padded_size", "scaled_size"]

DIVISOR = 32  # the coarsest stride of a pyramid
Sizes = TypeVar("Sizes", bound="PictureSizes")


@dataclass(frozen=True, kw_only=True)
class PictureSizes:
    """What a detector must be fed with; stored in its checkpoint.

    Attributes:
        short_side: pixels of the short side.
        long_side: most pixels of the long side; of a longer picture the short side gets fewer.
        antialias: whether pictures are smoothed where they are made smaller. False = as OpenCV resizes, with which
            the published detectors were trained.
        mean: per channel (red, green, blue), for values in 0..1.
        std: likewise.

    Raises:
        ValueError: a value is out of range.
    """

    short_side: int = 800
    long_side: int = 1333
    antialias: bool = True
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        if not 1 <= self.short_side <= self.long_side:
            raise ValueError(
                f"short_side={self.short_side} must be from 1 to long_side={self.long_side}; raise long_side, or "
                "lower short_side"
            )
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"mean={self.mean} and std={self.std} must be 3 numbers each, std above 0")

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture as the model sees it."""
        return scaled_size(height, width, short_side=self.short_side, long_side=self.long_side)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, fit for a checkpoint that loads with weights_only=True."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls: type[Sizes], values: dict[str, Any]) -> Sizes:
        """Inverse of `to_dict`.

        Raises:
            ValueError: a key is missing or unknown, or a value is out of range.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(
                f"the sizes of pictures have the keys {sorted(values)}, needed are exactly {sorted(names)}; correct "
                "the checkpoint"
            )
        return cls(**values)


def scaled_size(height: int, width: int, *, short_side: int, long_side: int) -> tuple[int, int]:
    """The largest size with the same shape whose sides are at most these, each side rounded half up; 1 at least.

    Args:
        height: of the picture in pixels.
        width: likewise.
        short_side: most pixels of the short side.
        long_side: most pixels of the long side.

    Source: mmcv's `rescale_size`, by which the published detectors were trained and tested.
    """
    scale = min(long_side / max(height, width), short_side / min(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def padded_size(sizes: list[tuple[int, int]], *, divisor: int = DIVISOR) -> tuple[int, int]:
    """Height and width that hold all pictures of a batch, rounded up to multiples of `divisor`."""
    tall, wide = (max(sides) for sides in zip(*sizes, strict=True))
    return -(-tall // divisor) * divisor, -(-wide // divisor) * divisor
