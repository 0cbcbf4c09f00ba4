"""Files that name the classes of label maps, and their colours."""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.label_rules import MAX_CLASSES
from stvit_video.data.manifests.look_alikes import class_list
from stvit_video.utils.label_text import normal_label

__all__ = ["ClassNames", "Palette", "parse_class_names", "parse_palette"]

NUMBER_COLUMN, NAME_COLUMN = "idx", "name"  # of the tables of ADE20K
HEX = re.compile(r"#[0-9a-fA-F]{6}")
_THREE = r"(?P<r>\d+)[\s,;:]+(?P<g>\d+)[\s,;:]+(?P<b>\d+)"
COLOUR_FIRST = re.compile(rf"{_THREE}(?:[\s,;:]+(?P<name>.*))?")
COLOUR_LAST = re.compile(rf"(?P<name>.*?)[\s,;:]+{_THREE}")


@dataclass(frozen=True)
class ClassNames:
    """The classes of the values of label maps.

    Attributes:
        source: the file that names them, for messages.
        names: value -> name.
    """

    source: str
    names: Mapping[int, str]


@dataclass(frozen=True)
class Palette:
    """The classes of the colours of label maps.

    Attributes:
        source: the file that names them, for messages.
        classes: names, in the order of the file.
        colours: colour (0xRRGGBB) -> name; "" = these pixels are not counted.
    """

    source: str
    classes: tuple[str, ...]
    colours: Mapping[int, str]


def parse_class_names(content: bytes, *, source: str) -> ClassNames:
    """Read a file of class names.

    It is a text with a name a line, those of the values 0, 1, ...; JSON with a list of names, or of names by their
    values ({"0": "sky"}); or a table with tabs and the columns Idx and Name, as ADE20K has (objectInfo150.txt). Of a
    name with synonyms in such a table the first is taken, where the first ones all differ.

    Args:
        content: of the file.
        source: its name, for messages.

    Raises:
        ManifestError: the file is empty or of no such kind, or names a class twice, or more than 255.
    """
    text = _text(content, source)
    if source.lower().endswith(".json"):
        names = _from_json(text, source)
    elif "\t" in text.partition("\n")[0]:
        names = _from_table(text, source)
    else:
        names = dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
    faults = Faults(source)
    if not 1 <= len(names) <= MAX_CLASSES:
        faults.add(0, f"it names {len(names)} classes; 1 to {MAX_CLASSES} are possible, because labels are bytes")
    listed = class_list(list(names.values()), faults)
    faults.raise_if_any()
    return ClassNames(source, dict(zip(names, listed, strict=True)))


def parse_palette(content: bytes, *, source: str) -> Palette:
    """Read the colours of classes: a line for each, with its name and its colour, in any order.

    "120 120 80 road", "road,120,120,80" and "road #787850" are the same. The order of the lines is that of the classes.
    A class may have several lines. Pixels of a colour without a name are not counted. JSON is {"road": [120, 120, 80]}.
    A first line without numbers is a heading.

    Args:
        content: of the file.
        source: its name, for messages.

    Raises:
        ManifestError: a line has no colour, a colour stands twice, or there are no or more than 255 names.
    """
    text, faults, colours = _text(content, source), Faults(source), dict[int, str]()
    if source.lower().endswith(".json"):
        lines = [(0, name, _numbers(colour)) for name, colour in _json_pairs(text, source)]
    else:
        rows = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        lines = [(number, *_name_and_colour(line)) for number, line in rows]
        lines = lines[1:] if lines and lines[0][2] is None and len(lines) > 1 else lines
    for number, name, code in lines:
        if code is None:
            faults.add(number, f"{name!r} has no colour; write the name and red, green and blue, each from 0 to 255")
        elif code in colours:
            faults.add(number, f"the colour of {name!r} is that of {colours[code]!r}; give each class another one")
        else:
            colours[code] = normal_label(name)
    classes = tuple(dict.fromkeys(name for name in colours.values() if name))
    if not 1 <= len(classes) <= MAX_CLASSES:
        faults.add(0, f"it names {len(classes)} classes; 1 to {MAX_CLASSES} are possible, because labels are bytes")
    faults.raise_if_any()
    return Palette(source, classes, colours)


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{source} is no text in UTF-8 ({error.reason}); save it as such") from error


def _from_json(text: str, source: str) -> dict[int, str]:
    loaded = _json(text, source)
    if isinstance(loaded, list) and all(isinstance(name, str) for name in loaded):
        return dict(enumerate(loaded))
    if isinstance(loaded, dict) and all(key.isdecimal() and isinstance(name, str) for key, name in loaded.items()):
        return {int(key): loaded[key] for key in sorted(loaded, key=int)}
    raise ManifestError(f'{source} holds no names of classes; write ["sky", "road"], or {{"0": "sky", "1": "road"}}')


def _from_table(text: str, source: str) -> dict[int, str]:
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = {key.strip().lower(): key for key in rows[0] if key} if rows else {}
    if not {NUMBER_COLUMN, NAME_COLUMN} <= set(columns):
        raise ManifestError(f"{source} has no columns Idx and Name; write the value and the name of each class there")
    number, name = columns[NUMBER_COLUMN], columns[NAME_COLUMN]
    wrong = [row[number] for row in rows if not (row[number] or "").strip().isdecimal() or not row[name]]
    if wrong:
        raise ManifestError(f"{source} has a line with Idx {wrong[0]!r} and no value or name; correct it")
    whole = {int(row[number]): row[name].strip() for row in rows}
    if len(whole) < len(rows):
        raise ManifestError(f"{source} has an Idx twice; give each class a value of its own")
    first = {value: text.partition(",")[0].strip() for value, text in whole.items()}
    return first if len(set(first.values())) == len(first) else whole


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ManifestError(f"{source} is no JSON ({error}); correct it") from error


def _json_pairs(text: str, source: str) -> list[tuple[str, Any]]:
    loaded = _json(text, source)
    if not isinstance(loaded, dict):
        raise ManifestError(f'{source} holds no names with colours; write {{"road": [120, 120, 80]}}')
    return list(loaded.items())


def _name_and_colour(line: str) -> tuple[str, int | None]:
    """The name of a line, and its colour; None = it has none."""
    if found := HEX.search(line):
        rest = line[: found.start()] + line[found.end() :]
        return rest.strip(" \t,;:"), int(found[0][1:], 16)
    for pattern in (COLOUR_FIRST, COLOUR_LAST):
        if (found := pattern.fullmatch(line.strip())) and (code := _numbers(found.group("r", "g", "b"))) is not None:
            return (found["name"] or "").strip(" \t,;:"), code
    return line.strip(), None


def _numbers(values: Any) -> int | None:
    """A colour of three numbers from 0 to 255; None = it is none."""
    try:
        red, green, blue = (int(value) for value in values)
    except (TypeError, ValueError):
        return None
    return (red << 16) + (green << 8) + blue if all(0 <= value <= 255 for value in (red, green, blue)) else None
