"""Read settings whose groups `data` and `model` have, beside those declared for all, those of the chosen one."""

from collections.abc import Mapping
from typing import Any, TypeVar

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.factories.layout_settings import layout_settings, other_layouts_settings
from stvit_video.factories.network import option_faults
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import Group
from stvit_video.settings.reading import Read, read_settings
from stvit_video.settings.train_settings import ModelSettings

S = TypeVar("S", bound=Group)


def read_with_layout(kind: type[S], values: Mapping[str, Any]) -> Read[S]:
    """Read plain values as `read_settings` does; the options of the layout get its types and defaults, those of the
    model are held to their types.

    Settings of other layouts are left in `data.options` where they are given, for a check to tell; those at their
    defaults are left out.

    Args:
        kind: with a group `data`.
        values: as plain values.
    """
    read = _with_options_of_model(read_settings(kind, values))
    data: ClipSettings = getattr(read.settings, "data")  # noqa: B009 - of any kind
    if data.source not in LAYOUTS or {"data", "data.source"} & set(read.wrong):
        return read
    others = other_layouts_settings({"source": data.source, **data.options})
    options = read_options(data.source, data.options)
    chosen = {**options.settings.plain(), **{name: data.options[name] for name in others}}
    clip = {name: value for name, value in data if name in ClipSettings.model_fields}
    return Read(
        read.settings.model_copy(update={"data": ClipSettings.model_construct(**clip, **chosen)}),
        {**read.wrong, **options.wrong},
        (*read.unknown, *options.unknown),
    )


def _with_options_of_model(read: Read[S]) -> Read[S]:
    """Where there is a group `model`, its options are checked, too."""
    model = getattr(read.settings, "model", None)
    if not isinstance(model, ModelSettings) or {"model", "model.name"} & set(read.wrong):
        return read
    return Read(read.settings, {**read.wrong, **option_faults(model)}, read.unknown)


def read_options(source: str | None, values: Mapping[str, Any]) -> Read[Group]:
    """Read the options of a layout; those of other layouts are passed over.

    Args:
        source: one of LAYOUTS; None = not known, so that only names are looked at.
        values: of the group `data`, without the settings that all layouts share.

    Returns:
        The names of wrong and unknown ones have "data." in front.
    """
    known = {name for layout in LAYOUTS for name in layout_settings(layout).model_fields}
    kind = Group if source is None else layout_settings(source)
    read: Read[Group] = read_settings(
        kind, {name: value for name, value in values.items() if name in kind.model_fields}
    )
    return Read(
        read.settings,
        {f"data.{name}": f"data.{sentence}" for name, sentence in read.wrong.items()},
        tuple(f"data.{name}" for name in values if name not in known),
    )
