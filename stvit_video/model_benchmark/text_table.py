"""Tables of words: on a terminal in colour, else in Markdown."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

NO_VALUE = "-"


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table as it is printed.

    Attributes:
        title: above it.
        header: names of the columns.
        lines: cells of each row, as many as the header has.
        styles: of each row on a terminal, as rich names them; "" = plain.
        notes: sentences below it.
        num_words: the first columns, which are words and set flush left.
    """

    title: str
    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    styles: tuple[str, ...]
    notes: tuple[str, ...] = ()
    num_words: int = 1


def markdown(table: TextTable) -> str:
    """A table with its title and notes, without a line break at its end."""
    widths = [max(map(len, column)) for column in zip(table.header, *table.lines, strict=True)]
    words = table.num_words
    rule = ["-" * width if place < words else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    lines = [_padded(cells, widths, words) for cells in (table.header, rule, *table.lines)]
    return "\n".join([table.title, "", *lines, *(f"\n{note}" for note in table.notes)])


def print_tables(tables: Sequence[TextTable], *, is_terminal: bool) -> None:
    """Print all tables on standard output, for a terminal in colour, else in Markdown."""
    if not is_terminal:
        print("\n\n".join(map(markdown, tables)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for table in tables:
        shown = Table(title=table.title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
        for place, name in enumerate(table.header):
            shown.add_column(name, justify="left" if place < table.num_words else "right", overflow="fold")
        for cells, style in zip(table.lines, table.styles, strict=True):
            shown.add_row(*map(Text, cells), style=style)
        console.print(shown)
        for note in table.notes:
            console.print(Text(note, style="dim"))
        console.print()


def digits(value: float | None, unit: str = "", *, scale: float = 1.0) -> str:
    """A value times `scale` with three digits that count, and its unit; "-" for None."""
    if value is None:
        return NO_VALUE
    scaled = value * scale
    places = next(places for places, least in enumerate((100, 10, 1, 0)) if scaled >= least)
    return f"{scaled:.{places}f}{unit}"


def _padded(cells: Sequence[str], widths: Sequence[int], num_words: int) -> str:
    padded = [
        cell.ljust(width) if place < num_words else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
