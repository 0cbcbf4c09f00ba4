"""RandAugment: a text such as rand-m7-n4-mstd0.5-inc1 becomes a policy that draws pixel operations."""

import re
from dataclasses import dataclass

import torch

from stvit_video.data.transforms.pixel_ops import PixelOp

LEVELS = 10.0  # magnitudes are given on a scale of 0 to 10
CANDIDATES = (
    "autocontrast",
    "equalize",
    "invert",
    "rotate",
    "posterize",
    "solarize",
    "solarize_add",
    "saturation",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)
EITHER_WAY = {"rotate": 30.0, "shear_x": 0.3, "shear_y": 0.3, "translate_x": 0.45, "translate_y": 0.45}  # at level 10
ENHANCEMENTS = ("saturation", "contrast", "brightness", "sharpness")
UNIFORM_FROM = 100.0  # an mstd above it means: draw the magnitude evenly from 0 .. m
SECTIONS = ("m", "n", "p", "mstd", "mmax", "inc")


@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """Draws `num_ops` operations, with repetition; each is applied with `probability`.

    Attributes:
        magnitude: mean strength, on a scale of 0 to 10.
        num_ops: operations drawn for a clip.
        probability: that a drawn operation is applied.
        magnitude_std: deviation of the normal distribution of the strength; above 100 it is uniform in 0 .. magnitude.
        magnitude_max: the strength is cut there.
        increasing: whether every operation gets stronger with its level; the older set of False has enhancements that
            darken at low levels, and posterizes and solarizes most at level 0.

    Raises:
        ValueError: a value is out of range.

    Source: Cubuk et al. 2019 (arXiv:1909.13719); sections, ranges and the two sets as in timm's
        `rand_augment_transform`.
    Differs: bilinear interpolation throughout; posterizing leaves at least one bit.
    """

    magnitude: float = 10.0
    num_ops: int = 2
    probability: float = 0.5
    magnitude_std: float = 0.0
    magnitude_max: float = LEVELS
    increasing: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.magnitude_max <= LEVELS or not 0 <= self.magnitude <= self.magnitude_max:
            raise ValueError(
                f"magnitude m={self.magnitude:g} must lie in 0 .. mmax={self.magnitude_max:g}, "
                f"mmax above 0 and at most {LEVELS:g}"
            )
        if self.num_ops < 1 or not 0 <= self.probability <= 1 or self.magnitude_std < 0:
            raise ValueError(
                f"num_ops n={self.num_ops} must be at least 1, probability p={self.probability:g} lie in 0..1 "
                f"and mstd={self.magnitude_std:g} be at least 0"
            )

    @classmethod
    def parse(cls, text: str) -> "RandAugment":
        """Read a text such as "rand-m7-n4-mstd0.5-inc1".

        Args:
            text: "rand", then sections in any order: m (magnitude), n (number of operations), p (probability of each),
                mstd (deviation of the magnitude), mmax (largest magnitude), inc (0 or 1).

        Raises:
            ValueError: a section is unknown, doubled or out of range.
        """
        head, *sections = text.split("-")
        matches = [re.fullmatch(rf"({'|'.join(SECTIONS)})(\d+(?:\.\d+)?)", section) for section in sections]
        values = {match[1]: float(match[2]) for match in matches if match}  # unknown or doubled ones are missing here
        whole = values.get("n", 2.0).is_integer() and values.get("inc", 0.0) in (0, 1)
        if head != "rand" or len(values) < len(sections) or not whole:
            raise ValueError(
                f"rand_augment={text!r} can't be read; write rand-m7-n4-mstd0.5-inc1: rand, then each at most once and "
                f"with a number behind it: {', '.join(SECTIONS)} (n whole, inc 0 or 1)"
            )
        try:
            return cls(
                magnitude=values.get("m", 10.0),
                num_ops=int(values.get("n", 2)),
                probability=values.get("p", 0.5),
                magnitude_std=values.get("mstd", 0.0),
                magnitude_max=values.get("mmax", LEVELS),
                increasing=values.get("inc", 0.0) == 1,
            )
        except ValueError as error:
            raise ValueError(f"rand_augment={text!r}: {error}") from error

    def draw(self, generator: torch.Generator) -> tuple[PixelOp, ...]:
        """Names and numbers of the operations for one clip, for `apply_ops`; at most `num_ops`.

        Args:
            generator: source of the draw; always asked for equally many numbers.
        """
        drawn = []
        for _ in range(self.num_ops):
            name = CANDIDATES[int(torch.randint(len(CANDIDATES), (), generator=generator))]
            applied, share, sign = torch.rand(3, generator=generator).tolist()
            noise = float(torch.randn((), generator=generator))
            uniform = self.magnitude_std > UNIFORM_FROM
            level = share * self.magnitude if uniform else self.magnitude + noise * self.magnitude_std
            level = min(max(level, 0.0), self.magnitude_max)
            if applied < self.probability:
                number = op_number(name, level, increasing=self.increasing, negative=sign < 0.5)
                drawn.append((name, number))
        return tuple(drawn)


def op_number(name: str, level: float, *, increasing: bool, negative: bool) -> float:
    """The number of an operation at a level of 0 to 10, as `apply_ops` takes it; 0 where it takes none.

    Args:
        name: one of `CANDIDATES`.
        level: strength.
        increasing: see `RandAugment`.
        negative: the direction of what goes either way: turns, shears, shifts, and enhancements that increase.
    """
    share, sign = level / LEVELS, -1.0 if negative else 1.0
    if name in EITHER_WAY:
        return sign * share * EITHER_WAY[name]
    if name in ENHANCEMENTS:
        return max(0.1, 1.0 + sign * 0.9 * share) if increasing else 0.1 + 1.8 * share
    if name == "posterize":
        bits = int(4 * share)
        return max(1, 4 - bits if increasing else bits)
    if name == "solarize":
        threshold = int(256 * share)
        return 256 - threshold if increasing else threshold
    return int(110 * share) if name == "solarize_add" else 0.0
