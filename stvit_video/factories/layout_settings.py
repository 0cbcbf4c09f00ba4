"""The settings of the data layouts, as the signatures of their finders declare them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, LAYOUTS, MAP_LAYOUTS
from stvit_video.data.loading.frame_options import frame_options
from stvit_video.data.loading.map_options import map_options
from stvit_video.data.loading.picture_options import picture_options
from stvit_video.data.loading.pytorchvideo_reader import pytorchvideo_frames
from stvit_video.settings.allowed import is_place
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import Group
from stvit_video.settings.reading import default_values
from stvit_video.settings.signature import settings_of

# of the layouts whose training clips are not read by our decoders
FRAME_READERS = {"pytorchvideo": pytorchvideo_frames}
# what their pictures have of settings besides
PICTURE_OPTIONS = dict.fromkeys(BOX_LAYOUTS, picture_options)
MAP_OPTIONS = dict.fromkeys(MAP_LAYOUTS, map_options)
FRAME_OPTIONS = dict.fromkeys((*BOX_LAYOUTS, *MAP_LAYOUTS), frame_options)
NO_SETTINGS = ("known_classes", *ClipSettings.model_fields)  # arguments of finders and readers


@cache
def layout_settings(source: str) -> type[Group]:
    """The settings of a layout, without those that all layouts share.

    Args:
        source: one of LAYOUTS.
    """
    more = [group[source] for group in (FRAME_READERS, PICTURE_OPTIONS, MAP_OPTIONS, FRAME_OPTIONS) if source in group]
    return settings_of(LAYOUTS[source], *more, name=source, without=NO_SETTINGS)


@cache
def path_names() -> tuple[str, ...]:
    """The `data` settings that are paths, apart from root, of all layouts."""
    kinds: list[type[Group]] = [ClipSettings, *(layout_settings(source) for source in LAYOUTS)]
    found = [name for kind in kinds for name, field in kind.model_fields.items() if is_place(field)]
    return tuple(name for name in dict.fromkeys(found) if name != "root")


def other_layouts_settings(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Settings that are given and are of other layouts alone -> these layouts.

    A value that another layout has by default does not count as given: it is left over from a choice of that layout.

    Args:
        data: the `data` group as plain values.
    """
    own = layout_settings(data["source"]).model_fields
    found: dict[str, list[str]] = {}
    for name, value in data.items():
        takers = {source: kind for source in LAYOUTS if name in (kind := layout_settings(source)).model_fields}
        if name in own or not takers or value is None:
            continue
        if all(value != default_values(kind)[name] for kind in takers.values()):
            found[name] = list(takers)
    return found


def foreign_faults(data: Mapping[str, Any]) -> list[str]:
    """A sentence for each of `other_layouts_settings`."""
    return [
        f"data.{name} is for data={', '.join(takers)}, not for data.source={data['source']}, which takes "
        f"{', '.join(layout_settings(data['source']).model_fields)}; leave data.{name} out"
        for name, takers in other_layouts_settings(data).items()
    ]
