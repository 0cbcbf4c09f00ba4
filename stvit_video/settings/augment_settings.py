"""The settings `augment`: what is done to training clips, and to training pictures with boxes or label maps."""

from typing import Annotated

from pydantic import Field

from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.declare import AsTuple, Count, Group, NonNegative, Positive, PositiveShare, Share, setting
from stvit_video.settings.map_augment_settings import MapAugmentSettings
from stvit_video.utils.choices import CropMode

Shares = Annotated[tuple[PositiveShare, PositiveShare], AsTuple]
Ratios = Annotated[tuple[Positive, Positive], AsTuple]
Sides = Annotated[tuple[Count, Count], AsTuple]


class ClipAugmentSettings(Group):
    """What is done to training clips."""

    crop: CropMode = setting(
        "random_resized", "random_resized = a box of random area and shape; random, centre = a square of short_side"
    )
    scale: Shares = setting((0.08, 1.0), "random_resized: area of the crop, share of the frame's, from and to")
    ratio: Ratios = setting((0.75, 1.3333333), "random_resized: width / height of the crop, from and to")
    short_side_jitter: Sides | None = setting(
        None, "random, centre: [256,320] = short side drawn in between; null = data.short_side"
    )
    flip_probability: Share = setting(0.5, "of a left-right flip; 0 where left and right change the label")
    colour_jitter: Share = setting(0.0, "brightness, contrast and saturation by up to this share either way")
    hue_jitter: Annotated[float, Field(ge=0, le=0.5)] = setting(0.0, "up to this part of the colour circle either way")
    rand_augment: str | None = setting(
        None, "rand-m7-n4-mstd0.5-inc1: magnitude 7 of 10, 4 operations (each applied with p0.5), ...; null = off"
    )
    erase_probability: Share = setting(0.0, "of boxes of noise, the same ones in all frames")
    erase_count: Count = setting(1, "boxes, together 2 to 33 % of the frame")
    mixup_alpha: NonNegative = setting(0.0, "0 = no mixup")
    cutmix_alpha: NonNegative = setting(0.0, "0 = no cutmix")
    mix_probability: Share = setting(1.0, "of a batch, where one of the two is on")
    cutmix_share: Share = setting(0.5, "of the mixed batches, where both are on")
    on_device: bool = setting(False, "workers only crop, all the rest runs on the model's device")


class AugmentSettings(MapAugmentSettings, BoxAugmentSettings, ClipAugmentSettings):
    """What is done to training clips; to pictures flip_probability and what is marked "boxes", or "maps"."""
