"""What pictures with boxes have of settings beside those of all data: declared here, used where a training is made."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from stvit_video.data.transforms.picture_sizes import PictureSizes

__all__ = ["PictureOptions", "picture_options"]

MAX_OBJECTS = 1000


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """The arguments of `picture_options`."""

    long_side: int
    antialias: bool
    drop_empty: bool
    max_objects: int | None


def picture_options(
    *,
    long_side: Annotated[int, Field(ge=1)] = PictureSizes.long_side,
    antialias: bool = PictureSizes.antialias,
    drop_empty: bool = False,
    max_objects: Annotated[int, Field(ge=1)] | None = MAX_OBJECTS,
) -> PictureOptions:
    """Read the settings of pictures with boxes.

    Args:
        long_side: most pixels of the long side; of a longer picture the short side gets fewer than data.short_side.
        antialias: whether pictures are smoothed where they are made smaller; False = as OpenCV resizes, for weights of
            the published detectors.
        drop_empty: whether training pictures without objects are left out; False = they teach the background.
        max_objects: of a training picture; of more, as many are drawn at random in each epoch, None = all.
    """
    return PictureOptions(long_side=long_side, antialias=antialias, drop_empty=drop_empty, max_objects=max_objects)
