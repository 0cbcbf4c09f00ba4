"""What training does to the pixels of a cropped clip: parameters are drawn once, then applied to all its frames."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch

from stvit_video.data.transforms.pixel_ops import PixelOp
from stvit_video.data.transforms.rand_augment import RandAugment

ERASED_AREA = (0.02, 1 / 3)  # of all boxes of a clip together, share of the frame
ERASED_RATIO = (0.3, 1 / 0.3)  # height / width
BOX_ATTEMPTS = 10

Box = tuple[int, int, int, int]  # top, left, height, width, in pixels


class Draw(NamedTuple):
    """The drawn parameters of one clip: plain numbers, so that they travel from a loader's worker to the device.

    Attributes:
        ops: operations on its uint8 frames, see `apply_ops`.
        erased: boxes that are filled with noise once the clip is normalised.
        noise_seed: of that noise.
    """

    ops: tuple[PixelOp, ...] = ()
    erased: tuple[Box, ...] = ()
    noise_seed: int = 0


@dataclass(frozen=True, kw_only=True)
class PixelAugment:
    """Colour jitter, RandAugment and random erasing; each of them off unless asked for.

    Attributes:
        colour_jitter: brightness, contrast and saturation are multiplied, in random order, by factors in
            1 - colour_jitter .. 1 + colour_jitter.
        hue_jitter: largest turn of the colour circle either way, in whole turns, at most 0.5.
        rand_augment: a text such as "rand-m7-n4-mstd0.5-inc1", see `RandAugment.parse`; None = off.
        erase_probability: that boxes of a clip are erased, the same ones in all frames.
        erase_count: boxes; together they take 2 to 33 % of the frame.

    Raises:
        ValueError: `rand_augment` can't be read.

    Source: colour jitter as in torchvision's `ColorJitter`; erasing Zhong et al. 2017 (arXiv:1708.04896), with the
        ranges of timm's `RandomErasing` and normal noise for each pixel.
    """

    colour_jitter: float = 0.0
    hue_jitter: float = 0.0
    rand_augment: str | None = None
    erase_probability: float = 0.0
    erase_count: int = 1

    def __post_init__(self) -> None:
        _ = self._policy  # a text that can't be read is an error now

    @cached_property
    def _policy(self) -> RandAugment | None:
        return None if self.rand_augment is None else RandAugment.parse(self.rand_augment)

    def draw(self, height: int, width: int, *, generator: torch.Generator) -> Draw:
        """Draw for one clip; what is off takes no random numbers.

        Args:
            height: of the cropped frames, in pixels.
            width: likewise.
            generator: source of the draw.
        """
        ops = self._jitter(generator)
        if self._policy is not None:
            ops += self._policy.draw(generator)
        if not self.erase_probability or float(torch.rand((), generator=generator)) >= self.erase_probability:
            return Draw(ops)
        boxes = erase_boxes(height, width, count=self.erase_count, generator=generator)
        return Draw(ops, boxes, int(torch.randint(2**62, (), generator=generator)))

    def _jitter(self, generator: torch.Generator) -> tuple[PixelOp, ...]:
        reach = {
            "brightness": self.colour_jitter,
            "contrast": self.colour_jitter,
            "saturation": self.colour_jitter,
            "hue": self.hue_jitter,
        }
        names = [name for name in reach if reach[name] > 0]
        if not names:
            return ()
        order = torch.randperm(len(names), generator=generator).tolist()
        shares = (2 * torch.rand(len(names), generator=generator) - 1).tolist()
        jittered = [names[place] for place in order]
        return tuple(
            (name, (0.0 if name == "hue" else 1.0) + share * reach[name])
            for name, share in zip(jittered, shares, strict=True)
        )


PIXELS_AS_THEY_ARE = PixelAugment()


def erase_boxes(height: int, width: int, *, count: int, generator: torch.Generator) -> tuple[Box, ...]:
    """Draw up to `count` boxes of random area, shape (log-uniform) and place; one that fits in no attempt is left out.

    Args:
        height: of the frame, in pixels.
        width: likewise.
        count: boxes; each has 1 / count of the drawn area.
        generator: source of the draw.
    """
    boxes = []
    for _ in range(count):
        for _ in range(BOX_ATTEMPTS):
            area_share, shape_share = torch.rand(2, generator=generator).tolist()
            area = height * width * _between(ERASED_AREA, area_share) / count
            shape = math.exp(_between((math.log(ERASED_RATIO[0]), math.log(ERASED_RATIO[1])), shape_share))
            box_height, box_width = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 1 <= box_height < height and 1 <= box_width < width:
                top = int(torch.randint(height - box_height + 1, (), generator=generator))
                left = int(torch.randint(width - box_width + 1, (), generator=generator))
                boxes.append((top, left, box_height, box_width))
                break
    return tuple(boxes)


def erase_(clip: torch.Tensor, draw: Draw) -> torch.Tensor:
    """Fill the drawn boxes of a normalised clip (C, T, H, W) with normal noise, in place; returns the clip.

    The noise comes from a generator on the clip's device: on another kind of device the boxes are the same, the noise
    in them is another.
    """
    if not draw.erased:
        return clip
    generator = torch.Generator(clip.device).manual_seed(draw.noise_seed)
    for top, left, height, width in draw.erased:
        noise = torch.randn(*clip.shape[:2], height, width, generator=generator, device=clip.device)  # (C, T, h, w)
        clip[..., top : top + height, left : left + width] = noise
    return clip


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * share
