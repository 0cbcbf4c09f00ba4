"""What a model must be fed with."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from stvit_video.utils.choices import Interpolation, StaticClip, words_of

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NEWER = {"frame_difference", "interpolation", "static_clip"}  # older checkpoints have the defaults of these


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What a model must be fed with; stored in its checkpoint.

    Attributes:
        num_frames: frames of a clip.
        frame_stride: distance between two frames of a clip, in video frames.
        short_side: pixels of a frame's short side before cropping.
        crop_size: side of the square that the model sees, in pixels.
        mean: per channel (red, green, blue), for values in 0..1.
        std: likewise.
        frame_difference: whether each frame is replaced by its change since the frame before it in the clip, the
            first by 0; with a fixed camera that takes the background away.
        interpolation: how frames are resized, antialiased.
        static_clip: control without motion: every frame of a clip is replaced by its middle frame ("single_frame") or
            by the mean of its frames ("mean_frame"); "none" = the frames as they are.

    Raises:
        ValueError: a value is out of range.
    """

    num_frames: int
    frame_stride: int
    short_side: int
    crop_size: int
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    frame_difference: bool = False
    interpolation: Interpolation = "bilinear"
    static_clip: StaticClip = "none"

    def __post_init__(self) -> None:
        for name in ("num_frames", "frame_stride", "short_side", "crop_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number, at least 1")
        if self.crop_size > self.short_side:
            raise ValueError(
                f"crop_size={self.crop_size} does not fit short_side={self.short_side}; "
                "make short_side as large as crop_size or larger"
            )
        for name, words in (("interpolation", words_of(Interpolation)), ("static_clip", words_of(StaticClip))):
            if getattr(self, name) not in words:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; use one of {', '.join(words)}")
        for name in ("mean", "std"):
            object.__setattr__(self, name, tuple(float(value) for value in getattr(self, name)))
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0 or max(self.mean) > 1:
            raise ValueError(
                f"mean={self.mean} and std={self.std} must be 3 numbers each, for values in 0..1, std above 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, fit for a checkpoint that loads with weights_only=True."""
        values = dataclasses.asdict(self)
        return values | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Inverse of `to_dict`.

        Raises:
            ValueError: a key is missing or unknown, or a value is out of range.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not names - NEWER <= set(values) <= names:
            raise ValueError(
                f"preprocessing has the keys {sorted(values)}, "
                f"needed are exactly {sorted(names)}; correct the checkpoint or the config"
            )
        return cls(**values)
