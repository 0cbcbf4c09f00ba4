"""From plain values, as Hydra or a file gives them, to typed settings; all that is wrong is found at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from stvit_video.settings.allowed import allowed_words, is_place
from stvit_video.settings.declare import MISSING, Group

S = TypeVar("S", bound=Group)


@dataclass(frozen=True)
class Read(Generic[S]):
    """Settings, and what was wrong with the values.

    Attributes:
        settings: those that are right; a wrong or missing one has its default, see `wrong`.
        wrong: name of a setting, such as "optim.lr", or of a whole group -> a sentence about it.
        unknown: names that no setting has.
    """

    settings: S
    wrong: Mapping[str, str]
    unknown: tuple[str, ...]


def read_settings(kind: type[S], values: Mapping[str, Any]) -> Read[S]:
    """Read plain values. A setting that is not among them has its default.

    Args:
        kind: of the settings.
        values: by name, in each group likewise; a missing one may be "???", as in OmegaConf.
    """
    names = [(field,) for field in values] + [
        (group, name) for group, of in values.items() if isinstance(of, Mapping) for name in of
    ]
    absent = [".".join(path) for path in names if _at(values, path) == MISSING]
    absent += [name for name in _required(kind) if _at(values, tuple(name.split("."))) is _ABSENT]
    missing = {name: f"{name} is missing; give it, for example {name}={_example(kind, name)}" for name in absent}
    wrong, unknown = dict(missing), list[str]()
    present = _without(values, missing)
    try:
        return Read(kind.model_validate(present), wrong, ())
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            path = _setting_of(kind, fault["loc"])
            name = ".".join(path)
            if fault["type"] == "extra_forbidden":
                unknown.append(name)
            elif name not in wrong:
                wrong[name] = _sentence(kind, path, _at(values, path))
    return Read(kind.model_validate(_without(present, {*wrong, *unknown})), wrong, tuple(unknown))


def default_values(kind: type[Group]) -> dict[str, Any]:
    """The defaults of all settings as plain values, lists in place of tuples."""
    return kind.model_construct().plain()


def setting_names(kind: type[Group]) -> list[str]:
    """The names of all settings, such as "seed", and the names of their groups, "optim", "optim.lr"."""
    names = []
    for name in kind.model_fields:
        names.append(name)
        if (group := group_of(kind, name)) is not None:
            names += [f"{name}.{own}" for own in group.model_fields]
    return names


def group_of(kind: type[Group], name: str) -> type[Group] | None:
    """The type of a group of settings; None = `name` is a setting by itself."""
    annotation = kind.model_fields[name].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, Group) else None


class _Absent:
    """Stands for a value that is not given."""


_ABSENT = _Absent()


def _required(kind: type[Group]) -> list[str]:
    found = [name for name, field in kind.model_fields.items() if field.default == MISSING]
    for name in kind.model_fields:
        if (group := group_of(kind, name)) is not None:
            found += [f"{name}.{own}" for own in _required(group)]
    return found


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values.get(name, _ABSENT) if isinstance(values, Mapping) else _ABSENT
    return values


def _without(values: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """The values without those of some names; groups are copied."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if key in names:
            continue
        is_group = isinstance(value, Mapping)
        kept[key] = {own: item for own, item in value.items() if f"{key}.{own}" not in names} if is_group else value
    return kept


def _setting_of(kind: type[Group], place: tuple[int | str, ...]) -> tuple[str, ...]:
    """The setting that pydantic's place of a fault is in, or under."""
    first = str(place[0])
    is_group = first in kind.model_fields and group_of(kind, first) is not None
    return (first, str(place[1])) if is_group and len(place) > 1 else (first,)


def _sentence(kind: type[Group], path: tuple[str, ...], value: Any) -> str:
    name = ".".join(path)
    if len(path) == 1 and group_of(kind, name) is not None:
        return f"{name}={value!r} must be a group of settings, such as {name}.<name>=..."
    holder = kind if len(path) == 1 else group_of(kind, path[0])
    assert holder is not None
    field = holder.model_fields[path[-1]]
    allowed = allowed_words(field.annotation, tuple(field.metadata))
    if isinstance(value, float) and not isfinite(value):
        allowed = allowed.replace("a number", "a finite number", 1)
    is_bare = isinstance(value, int | float) and ("a word" in allowed or "a path" in allowed)
    is_bracketed = isinstance(value, list) and "a path" in allowed
    text = f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
    way = f"; write it as '\"{text}\"'" if is_bare or is_bracketed else ""
    return f"{name}={value!r} must be {allowed}{way}"


def _example(kind: type[Group], name: str) -> str:
    """What a missing setting may be given."""
    group, _, own = name.rpartition(".")
    holder = group_of(kind, group) if group in kind.model_fields else kind
    field = holder.model_fields.get(own) if holder is not None else None
    return "/path" if field is None or is_place(field) else "VALUE"  # missing options of layouts are mostly paths
