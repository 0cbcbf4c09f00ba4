"""The settings `augment` of pictures with label maps, beside flip_probability and photometric_probability."""

from typing import Annotated

from stvit_video.settings.declare import AsTuple, Group, Positive, PositiveShare, setting

Factors = Annotated[tuple[Positive, Positive], AsTuple]


class MapAugmentSettings(Group):
    """What is done to training pictures with label maps; squares of data.crop_size are cut out of larger ones."""

    scale_range: Factors | None = setting(
        None, "maps: [0.5,2.0] = both sides of the picture are multiplied by a factor in between; null = off"
    )
    max_class_share: PositiveShare = setting(
        1.0, "maps: of the pixels of a crop that one class may have, else another crop is drawn, up to ten times"
    )
