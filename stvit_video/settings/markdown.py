"""The page of all settings, in Markdown, written from their declarations."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stvit_video.settings.allowed import allowed_words, takes_null
from stvit_video.settings.declare import MISSING, Group
from stvit_video.settings.reading import group_of

HEAD = "| setting | default | allowed | what it does |\n|---|---|---|---|"


class SettingRow(NamedTuple):
    """A line of the page.

    Attributes:
        name: of the setting, with its group.
        default: its plain value.
        allowed: what may be given, in words.
        help: what it does, in one line.
    """

    name: str
    default: Any
    allowed: str
    help: str


def rows_of(kind: type[Group], prefix: str = "") -> list[SettingRow]:
    """A line for each setting of a group, those of the groups in it left out.

    Args:
        kind: of the group.
        prefix: in front of the names, such as "optim.".
    """
    return [
        SettingRow(
            f"{prefix}{name}",
            field.default,
            f"{allowed_words(field.annotation, tuple(field.metadata))}{', or null' * takes_null(field.annotation)}",
            field.description or "",
        )
        for name, field in kind.model_fields.items()
        if group_of(kind, name) is None
    ]


def table_of(rows: Iterable[SettingRow]) -> str:
    """The lines as a table."""
    return "\n".join([HEAD, *("| " + " | ".join(_cells(row)) + " |" for row in rows)])


def page_of(
    title: str, kind: type[Group], *, more: Mapping[str, Iterable[SettingRow]], known: type[Group] | None = None
) -> str:
    """The settings of a command: a table for those without a group, then one for each group.

    Args:
        title: of the page.
        kind: of the settings.
        more: heading -> further lines, such as the settings of each data layout.
        known: settings and groups of this one stand elsewhere and are left out.
    """
    others = set() if known is None else set(known.model_fields)
    rows = [row for row in rows_of(kind) if row.name not in others]
    parts = [f"# {title}", kind.__doc__ or "", *([table_of(rows)] if rows else [])]
    for name in (name for name in kind.model_fields if name not in others):
        if (group := group_of(kind, name)) is not None:
            first_line = (group.__doc__ or "").splitlines()[0]
            parts += [f"## `{name}`", first_line, table_of(rows_of(group, f"{name}."))]
    for heading, further in more.items():
        parts += [f"## {heading}", table_of(further)]
    return "\n\n".join(parts) + "\n"


def _cells(row: SettingRow) -> list[str]:
    default = "must be given" if row.default == MISSING else f"`{as_override(row.default)}`"
    words = [text.replace("<", "&lt;") for text in (row.allowed, row.help)]  # outputs/<run> is no HTML
    return [text.replace("|", "\\|") for text in (f"`{row.name}`", default, *words)]


def as_override(value: Any) -> str:
    """A value as it is written on a command line."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_override, value))}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
