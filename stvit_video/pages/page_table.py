"""A table of a page, as the macro `table` of macros.html draws it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["PageTable", "table_of"]


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """Rows and columns; a click on a head sorts by it.

    Attributes:
        heads: of the columns.
        rows: a cell for each head: text, a number, None for an empty cell, or `markupsafe.Markup`.
        numbers: heads of the columns that are sorted by the number that a cell begins with, and stand to the right.
        marked: numbers of the rows that stand out.
        tips: what a head means, shown by hover.
        label: what the table is of, for those who hear the page.
        about: the mark in a chart (`data-tip`) that each row is about; () = none.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: Collection[str] = ()
    marked: Collection[int] = ()
    tips: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    about: Sequence[str] = ()


def table_of(
    rows: Sequence[Mapping[str, object]],
    *,
    texts: Collection[str],
    marked: Collection[int] = (),
    tips: Mapping[str, str] | None = None,
    label: str = "",
    about: Sequence[str] = (),
) -> PageTable:
    """The table of rows by key, with a column for every key that occurs, in the order in which they occur.

    Args:
        rows: cell by key; a key that a row lacks is an empty cell. Underscores become spaces in the heads.
        texts: keys of columns that are sorted as texts; all others are numbers.
        marked: see `PageTable`.
        tips: by key.
        label: see `PageTable`.
        about: see `PageTable`.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row))
    heads = {key: key.replace("_", " ") for key in keys}
    return PageTable(
        heads=list(heads.values()),
        rows=[[row.get(key) for key in keys] for row in rows],
        numbers=[heads[key] for key in keys if key not in texts],
        marked=marked,
        tips={heads[key]: tip for key, tip in (tips or {}).items() if key in heads},
        label=label,
        about=about,
    )
