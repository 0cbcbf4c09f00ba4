"""Labels that look alike: one text in several forms is one class, and what only looks alike is told by name."""

import logging
import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, Faults
from stvit_video.utils.label_text import normal_label, without_joiners

# signs that a font hardly tells apart; U+FE0E and U+FE0F choose between a black and a coloured picture of an emoji
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u00b4`"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u2033"
_SIGNS = str.maketrans(
    _DASHES + _QUOTES + _DOUBLE_QUOTES,
    "-" * len(_DASHES) + "'" * len(_QUOTES) + '"' * len(_DOUBLE_QUOTES),
    "\ufe0e\ufe0f",
)
# Cyrillic and Greek letters with the shape of a Latin one
_CYRILLIC = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421"
    "\u0422\u0425\u0430\u0435\u0456\u0458\u043e\u0440\u0441\u0443\u0445\u0455"
)
_GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
_LETTERS = str.maketrans(_CYRILLIC + _GREEK, "ABESIJKMHOPCTXaeijopcyxs" + "ABEZHIKMNOPTYXo")
_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_log = logging.getLogger(__name__)


def class_names_by_label(
    labels: Mapping[str, int], classes: Sequence[str], *, source: str | os.PathLike[str]
) -> dict[str, str]:
    """Label as it is written -> the class that it names; one warning tells of labels that have another form there.

    A label that is written as a class is that class, whatever else looks like it.

    Args:
        labels: as the list has them -> how many videos have each.
        classes: their names.
        source: the list, for the message.

    Returns:
        All labels; one that names no class, or could be of several, has its normal form.
    """
    known = set(classes)
    by_form: dict[str, list[str]] = {}
    for name in classes:
        by_form.setdefault(normal_label(name), []).append(name)
    chosen = {}
    for label in labels:
        same = by_form.get(normal_label(label), [])
        chosen[label] = label if label in known else same[0] if len(same) == 1 else normal_label(label)
    _tell_of_forms({label: name for label, name in chosen.items() if label != name}, labels, source)
    return chosen


def class_list(names: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """The classes of a file that numbers them, in their normal form; doubles and look-alikes go to `faults`."""
    first: dict[str, str] = {}
    for name in names:
        form = normal_label(name)
        if form in first:
            again = "twice" if name == first[form] else f"again as {name!a}"
            faults.add(0, f"it names the class {first[form]!a} {again}; name each class once")
        first.setdefault(form, name)
    note_look_alikes(list(first), faults)
    return tuple(map(normal_label, names))


def note_look_alikes(names: Sequence[str], faults: Faults) -> None:
    """Note a fault for classes that nobody can tell apart, such as 01 and 1; warn of others that are likely one.

    Args:
        names: classes in their normal form.
        faults: where faults go.
    """
    pairs = _alike(names, _number_and_signs)
    for group in pairs:
        text = f"the classes {_and(group)} look alike; write them alike where they are one class, else rename one"
        faults.add(0, text)
    told = {name for group in pairs for name in group}
    rest = [name for name in names if name not in told]
    capitals = _alike(rest, str.casefold)
    if capitals:
        text = "%s: these labels differ in capitals only and count as several classes: %s"
        _log.warning(text, faults.source, "; ".join(" and ".join(map(repr, group)) for group in capitals))
    told |= {name for group in capitals for name in group}
    if others := _alike([name for name in rest if name not in told], _drawing):
        text = "%s: these labels look alike and count as several classes: %s"
        _log.warning(text, faults.source, "; ".join(map(_and, others)))


def look_alike_of(label: str, names: Sequence[str]) -> str | None:
    """The class that a label looks like, which is none of them; None = it looks like none."""
    for key in (_number_and_signs, str.casefold, _drawing):
        wanted = key(label)
        for name in names:
            if key(name) == wanted:
                return name
    return None


def _tell_of_forms(changed: Mapping[str, str], counts: Mapping[str, int], source: str | os.PathLike[str]) -> None:
    if not changed:
        return
    shown = [f"{label!a} as {name!a}" for label, name in list(changed.items())[:NUM_FAULTS_SHOWN]]
    _log.warning(
        "%s: %d labels of %d videos are read in another form of the same text (accents, spaces, invisible characters), "
        "and equal ones are one class: %s%s",
        *(source, len(changed), sum(counts[label] for label in changed), ", ".join(shown)),
        ", ..." if len(changed) > len(shown) else "",
    )


def _alike(names: Sequence[str], key: Callable[[str], str]) -> list[list[str]]:
    """Groups of several names with the same key."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _number_and_signs(name: str) -> str:
    """Numbers by their value; dashes, quotation marks and pictures of emoji in one form."""
    return str(int(name)) if name.isdecimal() and len(name) < 100 else name.translate(_SIGNS)


def _drawing(name: str) -> str:
    """What a name looks like at a glance: letters of other scripts, widths, capitals, joiners and zeros in one form."""
    text = unicodedata.normalize("NFKC", without_joiners(name).translate(_SIGNS).translate(_LETTERS))
    return _ZEROS.sub("", text.casefold())


def _and(group: Sequence[str]) -> str:
    return " and ".join(ascii(name) if not name.isascii() else repr(name) for name in group)
