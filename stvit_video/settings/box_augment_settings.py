"""The settings `augment` of pictures with boxes, beside flip_probability."""

from typing import Annotated

from stvit_video.settings.declare import AsTuple, Count, Counts, Group, Positive, Share, setting

Sides = Annotated[tuple[Count, Count], AsTuple]
Factors = Annotated[tuple[Positive, Positive], AsTuple]


class BoxAugmentSettings(Group):
    """What is done to training pictures with boxes."""

    short_sides: Counts | None = setting(
        None, "boxes: pixels of the short side, one of these for each picture; null = data.short_side"
    )
    crop_probability: Share = setting(0.0, "boxes: share of the pictures that are cut before they get their size")
    crop_short_sides: Counts = setting(
        (400, 500, 600), "boxes: pixels of the short side of a picture that is cut, one of these"
    )
    crop_sides: Sides = setting((384, 600), "boxes: sides of the part that is cut out, in pixels, from and to")
    scale_jitter: Factors | None = setting(
        None,
        "boxes: [0.1,2.0] = large-scale jitter, the picture fits into data.long_side times a factor in between and is "
        "cut to data.long_side; null = off",
    )
    photometric_probability: Share = setting(
        0.0, "boxes, maps: of each change of brightness, contrast, saturation, hue and, of boxes, the order of channels"
    )
