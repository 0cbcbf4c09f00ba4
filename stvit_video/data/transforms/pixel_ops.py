"""Operations on the pixels of a clip: uint8 frames and one number in, uint8 frames of the same size out."""

import math
from collections.abc import Callable, Sequence

import torch
from torchvision.transforms.v2 import functional as tvf

FILL = 128.0  # what comes in from outside the picture

PixelOp = tuple[str, float]  # a name in OPS and its number


def apply_ops(frames: torch.Tensor, ops: Sequence[PixelOp]) -> torch.Tensor:
    """Apply operations one after the other, each with the same number to all frames.

    Args:
        frames: (T, 3, H, W) uint8, on any device.
        ops: names of `OPS`, each with its number (0 where the operation takes none).

    Returns:
        (T, 3, H, W) uint8.

    Raises:
        ValueError: an operation is unknown.
    """
    for name, value in ops:
        if name not in OPS:
            raise ValueError(f"pixel operation {name!r} is unknown; use one of {', '.join(sorted(OPS))}")
        frames = OPS[name](frames, value)
    return frames


def _flip(frames: torch.Tensor, value: float) -> torch.Tensor:
    return frames.flip(-1)


def _autocontrast(frames: torch.Tensor, value: float) -> torch.Tensor:
    return tvf.autocontrast(frames)


def _equalize(frames: torch.Tensor, value: float) -> torch.Tensor:
    return tvf.equalize(frames)


def _invert(frames: torch.Tensor, value: float) -> torch.Tensor:
    return tvf.invert(frames)


def _rotate(frames: torch.Tensor, degrees: float) -> torch.Tensor:
    """Counter-clockwise about the centre."""
    return tvf.rotate(frames, degrees, interpolation=tvf.InterpolationMode.BILINEAR, fill=[FILL] * 3)


def _posterize(frames: torch.Tensor, bits: float) -> torch.Tensor:
    """Keep the `bits` highest bits of every value."""
    return tvf.posterize(frames, int(bits))


def _solarize(frames: torch.Tensor, threshold: float) -> torch.Tensor:
    """Invert values from `threshold` on; 256 = none."""
    return tvf.solarize(frames, threshold) if threshold < 256 else frames


def _solarize_add(frames: torch.Tensor, addend: float) -> torch.Tensor:
    """Add to the values below 128."""
    lighter = frames.clamp(max=255 - int(addend)) + int(addend)
    return torch.where(frames < 128, lighter, frames)


def _saturation(frames: torch.Tensor, factor: float) -> torch.Tensor:
    return tvf.adjust_saturation(frames, factor)


def _contrast(frames: torch.Tensor, factor: float) -> torch.Tensor:
    return tvf.adjust_contrast(frames, factor)


def _brightness(frames: torch.Tensor, factor: float) -> torch.Tensor:
    return tvf.adjust_brightness(frames, factor)


def _sharpness(frames: torch.Tensor, factor: float) -> torch.Tensor:
    return tvf.adjust_sharpness(frames, factor)


def _hue(frames: torch.Tensor, turn: float) -> torch.Tensor:
    """Turn the colour circle by -0.5 .. 0.5 of a whole turn."""
    return tvf.adjust_hue(frames, turn)


def _shear_x(frames: torch.Tensor, slope: float) -> torch.Tensor:
    """Row y moves left by slope * y pixels."""
    return _affine(frames, shear=(math.degrees(math.atan(slope)), 0.0))


def _shear_y(frames: torch.Tensor, slope: float) -> torch.Tensor:
    """Column x moves up by slope * x pixels."""
    return _affine(frames, shear=(0.0, math.degrees(math.atan(slope))))


def _translate_x(frames: torch.Tensor, share: float) -> torch.Tensor:
    """Move left by a share of the width."""
    return _affine(frames, translate=(-share * frames.shape[-1], 0.0))


def _translate_y(frames: torch.Tensor, share: float) -> torch.Tensor:
    """Move up by a share of the height."""
    return _affine(frames, translate=(0.0, -share * frames.shape[-2]))


def _affine(
    frames: torch.Tensor,
    *,
    shear: tuple[float, float] = (0.0, 0.0),
    translate: tuple[float, float] = (0.0, 0.0),
) -> torch.Tensor:
    return tvf.affine(
        frames,
        angle=0.0,
        translate=list(translate),
        scale=1.0,
        shear=list(shear),
        interpolation=tvf.InterpolationMode.BILINEAR,
        fill=[FILL] * 3,
        center=[0.0, 0.0],
    )


OPS: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
    "flip": _flip,
    "autocontrast": _autocontrast,  # these two look at each frame by itself, as the published recipes do
    "equalize": _equalize,
    "invert": _invert,
    "rotate": _rotate,
    "posterize": _posterize,
    "solarize": _solarize,
    "solarize_add": _solarize_add,
    "saturation": _saturation,
    "contrast": _contrast,
    "brightness": _brightness,
    "sharpness": _sharpness,
    "hue": _hue,
    "shear_x": _shear_x,
    "shear_y": _shear_y,
    "translate_x": _translate_x,
    "translate_y": _translate_y,
}
