"""What pictures with label maps have of settings beside those of all data: declared here, used where maps are read."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from stvit_video.data.manifests.class_choice import Kept
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.utils.addresses import Place

__all__ = ["MapOptions", "map_options"]

AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
# YAML reads a class of the name null as none
AsNames = BeforeValidator(lambda value: tuple(map(_named, value)) if isinstance(value, list | tuple) else value)


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """The arguments of `map_options`."""

    long_side: int
    antialias: bool
    size_divisor: int
    reduce_zero_label: bool | None
    values: tuple[int, ...] | None
    palette: str | None
    keep_classes: tuple[Kept, ...] | None


def map_options(
    *,
    long_side: Annotated[int, Field(ge=1)] = MapSizes.long_side,
    antialias: bool = MapSizes.antialias,
    size_divisor: Annotated[int, Field(ge=1)] = MapSizes.divisor,
    reduce_zero_label: bool | None = None,
    values: Annotated[tuple[Annotated[int, Field(ge=0)], ...], AsTuple] | None = None,
    palette: Place | None = None,
    keep_classes: Annotated[tuple[str | dict[str, list[str]], ...], AsNames] | None = None,
) -> MapOptions:
    """Read the settings of pictures with label maps.

    Args:
        long_side: most pixels of the long side; of a longer picture the short side gets fewer than data.short_side.
        antialias: whether pictures are smoothed where they are made smaller; False = as OpenCV resizes, for weights of
            published segmenters.
        size_divisor: both sides of a test picture are enlarged to multiples of this (mmsegmentation's AlignResize); 1 =
            its shape is kept.
        reduce_zero_label: whether the value 0 is not counted, as in ADE20K; a file with a name a line has one for 0 on
            its first line all the same. None = where the file of class names begins with 1.
        values: of the maps, that of each class in the order of the class names, such as [0,255]; others are not
            counted. None = 0, 1, 2 and so on.
        palette: file with the name and the colour of each class ("road 128 64 128"), where maps hold colours; None =
            they hold values.
        keep_classes: names of the classes that are learned, in this order; pixels of others are not counted. An entry
            {shoes: [shoes, boots]} makes one class of several. None = all.
    """
    return MapOptions(
        long_side=long_side,
        antialias=antialias,
        size_divisor=size_divisor,
        reduce_zero_label=reduce_zero_label,
        values=values,
        palette=palette,
        keep_classes=None if keep_classes is None else tuple(map(_named, keep_classes)),
    )


def _named(entry: Any) -> Any:
    """An entry of keep_classes with the name null where none is read."""
    if isinstance(entry, dict):
        return {_named(new): [_named(name) for name in old] for new, old in entry.items()}
    return "null" if entry is None else entry
