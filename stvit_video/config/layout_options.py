"""Read settings whose group `data` has, beside those of all layouts, those of the chosen one."""

from collections.abc import Mapping
from typing import Any, TypeVar

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.factories.manifests import layout_settings, other_layouts_settings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import Group
from stvit_video.settings.reading import Read, read_settings

S = TypeVar("S", bound=Group)


def read_with_layout(kind: type[S], values: Mapping[str, Any]) -> Read[S]:
    """Read plain values as `read_settings` does; the options of the layout get its types and defaults.

    Settings of other layouts are left in `data.options` where they are given, for a check to tell; those at their
    defaults are left out.

    Args:
        kind: with a group `data`.
        values: as plain values.
    """
    read = read_settings(kind, values)
    data: ClipSettings = getattr(read.settings, "data")  # noqa: B009 - of any kind
    if data.source not in LAYOUTS or {"data", "data.source"} & set(read.wrong):
        return read
    own, others = layout_settings(data.source), other_layouts_settings({"source": data.source, **data.options})
    known = {name for source in LAYOUTS for name in layout_settings(source).model_fields}
    mine = {name: value for name, value in data.options.items() if name in own.model_fields}
    options = read_settings(own, mine)
    unknown = [name for name in data.options if name not in known]
    chosen = {**options.settings.plain(), **{name: data.options[name] for name in others}}
    clip = {name: value for name, value in data if name in ClipSettings.model_fields}
    wrong = {f"data.{name}": f"data.{sentence}" for name, sentence in options.wrong.items()}
    return Read(
        read.settings.model_copy(update={"data": ClipSettings.model_construct(**clip, **chosen)}),
        {**read.wrong, **wrong},
        (*read.unknown, *(f"data.{name}" for name in unknown)),
    )
