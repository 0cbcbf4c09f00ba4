"""Rows of a CSV with a header, read so that every fault is kept with its line and all are raised together."""

import csv
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.utils.label_text import normal_label
from stvit_video.utils.long_fields import any_length

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}  # other than the comma


class CsvRow(NamedTuple):
    """One row: the line of the file it ends on, and its fields by column name."""

    line: int
    fields: dict[str, str]


def read_rows(path: Path, *, needed: Sequence[str], faults: Faults) -> list[CsvRow]:
    """Read a CSV (UTF-8) with a header, fields of any length; rows with too few or too many fields go to `faults`.

    Column names are taken without blanks around them and in lower case. Empty and blank lines are passed over.

    Raises:
        ManifestError: the file is absent or unreadable, a quote is open, a column of `needed` is missing or stands
            twice, or there are faulty rows and no others.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file, any_length():
            cells = _numbered_cells(path, file)
            _, header = next(cells, (0, []))
            rows = list(_whole_rows(cells, _column_names(path, header, needed), faults))
    except FileNotFoundError as error:
        raise ManifestError(f"there is no manifest {path}; correct the path") from error
    except IsADirectoryError as error:
        raise ManifestError(f"{path} is a folder and no CSV; give the file that lists the videos") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not readable as CSV in UTF-8 ({error}); save it as such") from error
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror or error}); check the file") from error
    if not rows:
        faults.raise_if_any()
    return rows


def filter_rows(
    rows: Sequence[CsvRow],
    wishes: Mapping[str, Collection[str | int]],
    *,
    wanted: bool,
    source: str | os.PathLike[str],
) -> list[CsvRow]:
    """Rows whose columns have (wanted), or have not (not wanted), one of the given values; blanks around don't matter.

    Args:
        rows: what to choose from.
        wishes: column -> values.
        wanted: True = keep the rows with these values, False = leave them out.
        source: the manifest, for messages.

    Raises:
        ManifestError: there is no such column, or no row has one of the values.
        ValueError: the values are one text and not a list.
    """
    rows = list(rows)
    for written, values in wishes.items():
        column = _normalised(written)
        if isinstance(values, str):
            raise ValueError(f"the values of column {column!r} are the text {values!r}; give a list of values")
        texts = {normal_label(str(value)) for value in values}
        if rows and column not in rows[0].fields:
            names = ", ".join(rows[0].fields)
            raise ManifestError(f"{source} has no column {column!r} to select by; it has {names}")
        found = {normal_label(row.fields[column]) for row in rows}
        if texts - found:
            raise ManifestError(
                f"{source}: no row has {column} = {', '.join(sorted(texts - found))}; "
                f"values there: {', '.join(sorted(found)[:20]) or 'none'}"
            )
        rows = [row for row in rows if (normal_label(row.fields[column]) in texts) == wanted]
    return rows


def with_split(keep: Mapping[str, Collection[str | int]] | None, split: str | None) -> dict[str, Collection[str | int]]:
    """The wishes `keep` of `filter_rows`, and the value of the column `split` among them where one is given."""
    return dict(keep or {}) | ({} if split is None else {"split": (split,)})


def read_segment(
    row: CsvRow, *, start_column: str, end_column: str, faults: Faults
) -> tuple[float | None, float | None]:
    """Begin and end in seconds, None where the field is empty or absent; bad numbers go to `faults`."""
    start = _read_seconds(row, start_column, faults)
    end = _read_seconds(row, end_column, faults)
    if end is not None and end <= (start or 0.0):
        text = f"the segment begins at {start or 0:g} s and ends at {end:g} s; the end must come later"
        faults.add(row.line, text)
    return start, end


def read_labels(row: CsvRow, *, separator: str, faults: Faults) -> tuple[str, ...]:
    """The labels of a row, without the blanks around them; an empty field has none. What is wrong goes to `faults`.

    Labels of the same text count as the same, in whatever form they are (`stvit_video.utils.label_text`).

    Args:
        row: its column `label` is read.
        separator: what stands between two labels.
    """
    written = row.fields["label"].strip()
    labels = [label.strip() for label in row.fields["label"].split(separator)] if normal_label(written) else []
    forms = [normal_label(label) for label in labels]
    if "" in forms:
        text = f"{written!r} has an empty label beside a {separator!r}; remove the separator, or name the label"
        faults.add(row.line, text)
    for form in dict.fromkeys(forms):
        if form and forms.count(form) > 1:
            faults.add(row.line, f"{written!r} names {form!r} {forms.count(form)} times; name each label once")
    found = dict(zip(reversed(forms), reversed(labels), strict=True))  # of equal ones the first
    return tuple(found[form] for form in dict.fromkeys(forms) if form)


def _read_seconds(row: CsvRow, column: str, faults: Faults) -> float | None:
    text = row.fields.get(column, "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        faults.add(row.line, f"{column}={text!r} is no number of seconds; write e.g. 12.5, or leave it empty")
        return None
    return seconds


def _numbered_cells(path: Path, file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """(line that it ends on, its cells) of each row that is not blank."""
    reader = csv.reader(file, strict=True)
    first_line = 1  # of the row that is read next
    try:
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                yield reader.line_num, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise ManifestError(
            f"{path}, line {first_line}: a double quote opens there and is not closed ({error}); "
            "close it, and write a quote inside of quotes twice"
        ) from error


def _normalised(name: str) -> str:
    return normal_label(name).lower()


def _column_names(path: Path, header: Sequence[str], needed: Sequence[str]) -> list[str]:
    columns = [_normalised(name) for name in header]
    doubles = sorted({name for name in columns if name and columns.count(name) > 1})
    if doubles:
        raise ManifestError(f"{path} has column {', '.join(doubles)} more than once; name each column once")
    absent = [name for name in needed if name not in columns]
    if absent:
        line = ",".join(header)
        raise ManifestError(
            _other_separator(path, line, needed)
            or (
                f"{path} has no column {', '.join(absent)}; its first line must be a header with "
                f"{','.join(needed)}, it is: {line[:200] or 'empty'}"
            )
        )
    return columns


def _other_separator(path: Path, line: str, needed: Sequence[str]) -> str | None:
    """What to say if the header is one, but with another separator than the comma."""
    for separator, word in SEPARATORS.items():
        if separator in line and {_normalised(name) for name in line.split(separator)} & set(needed):
            return f"{path} is separated by {word}; commas are needed: {','.join(needed)}, not {line[:200]!r}"
    return None


def _whole_rows(cells: Iterable[tuple[int, list[str]]], columns: Sequence[str], faults: Faults) -> Iterator[CsvRow]:
    for line, row in cells:
        if len(row) == len(columns):
            yield CsvRow(line, dict(zip(columns, row, strict=True)))
        else:
            text = f"not {len(columns)} fields as in the header; put a path that holds a comma in double quotes"
            faults.add(line, text)
