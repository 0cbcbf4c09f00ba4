"""Which classes are learned, of those that a data set names, and the label that each value of a map gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from stvit_video.data.manifests.class_names import ClassNames, Palette
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.label_rules import IGNORED, NUM_VALUES, LabelRules
from stvit_video.utils.label_text import normal_label

__all__ = ["ChosenClasses", "choose_classes"]

Kept = str | Mapping[str, Sequence[str]]  # a class, or a new name with the classes that it takes in


class ChosenClasses(NamedTuple):
    """The classes in the order of their labels, and how maps are read."""

    classes: tuple[str, ...]
    rules: LabelRules


@dataclass(frozen=True)
class _Named:
    """Codes of a map (values or colours) with their names; others = those of no class."""

    source: str
    names: Mapping[int, str]
    ignored: tuple[int, ...] = ()
    of_colours: bool = False
    others_ignored: bool = False


def choose_classes(
    names: ClassNames | None,
    *,
    palette: Palette | None = None,
    values: Sequence[int] | None = None,
    reduce_zero_label: bool | None = None,
    keep_classes: Sequence[Kept] | None = None,
    missing: str = "put classes.txt, with a name a line, beside the folders, or give it as data.classes=FILE",
) -> ChosenClasses:
    """Choose the classes, and make the rules by which maps are read.

    Args:
        names: of the values of the maps; None = there is no file of them, and the palette names the classes.
        palette: the colours of the classes; None = maps hold values.
        values: of the maps, that of each class in the order of the names; others are not counted. None = the values
            that the file of names gives.
        reduce_zero_label: whether the value 0 is not counted; None = where the file of names begins with 1.
        keep_classes: names of the classes that are learned, in this order, the pixels of others are not counted; an
            entry {"shoes": ["shoes", "boots"]} makes one class of several. None = all, as they are.
        missing: what to do where nothing names the classes, for the message.

    Raises:
        ManifestError: nothing names the classes, or two of the settings contradict each other.
    """
    if palette is not None:
        named = _of_palette(palette, names)
        _refuse_with(palette, values=values, reduce_zero_label=reduce_zero_label)
    elif names is None:
        raise ManifestError(f"nothing names the classes of the label maps; {missing}")
    elif values is not None:
        named = _of_values(names, values, reduce_zero_label)
    else:
        named = _as_named(names, reduce_zero_label)
    classes, takes = _kept(named, keep_classes)
    labels = {code: takes.get(name, IGNORED) for code, name in named.names.items()}
    labels |= dict.fromkeys(named.ignored, IGNORED)
    return ChosenClasses(classes, LabelRules(labels, of_colours=named.of_colours, others_ignored=named.others_ignored))


def _of_palette(palette: Palette, names: ClassNames | None) -> _Named:
    """The colours; a file of names beside them gives the order of the classes."""
    own = palette.classes if names is None else tuple(names.names.values())
    if set(own) != set(palette.classes):
        odd = sorted(set(own) ^ set(palette.classes))
        raise ManifestError(
            f"data.palette ({palette.source}) and data.classes name different classes: {_some(odd)} of one alone; "
            "leave data.classes out, or name the same classes"
        )
    order = {name: place for place, name in enumerate(own)}
    colours = {code: name for code, name in palette.colours.items() if name}
    ignored = tuple(code for code, name in palette.colours.items() if not name)
    ordered = dict(sorted(colours.items(), key=lambda pair: order[pair[1]]))
    return _Named(palette.source, ordered, ignored, of_colours=True)


def _refuse_with(palette: Palette, **settings: object) -> None:
    given = [f"data.{name}={value}" for name, value in settings.items() if value is not None]
    if given:
        raise ManifestError(
            f"{' and '.join(given)} can't be with data.palette={palette.source}, which names the colours of all "
            "classes; leave one of them out"
        )


def _of_values(names: ClassNames, values: Sequence[int], reduce_zero_label: bool | None) -> _Named:
    if reduce_zero_label is not None:
        raise ManifestError(
            f"data.values={list(values)} lists the values that count, so data.reduce_zero_label={reduce_zero_label} "
            "says nothing; leave one of them out"
        )
    differ = len(set(values)) == len(values) == len(names.names)
    if not differ or not 0 <= min(values) <= max(values) < NUM_VALUES:
        raise ManifestError(
            f"data.values={list(values)} must be {len(names.names)} different numbers from 0 to {NUM_VALUES - 1}, one "
            f"for each class of {names.source}; correct it"
        )
    pairs = zip(values, names.names.values(), strict=True)
    return _Named(names.source, dict(pairs), others_ignored=True)


def _as_named(names: ClassNames, reduce_zero_label: bool | None) -> _Named:
    reduced = 0 not in names.names if reduce_zero_label is None else reduce_zero_label
    kept = {value: name for value, name in names.names.items() if value or not reduced}
    if not kept:
        raise ManifestError(
            f"data.reduce_zero_label=true leaves out the value 0, and {names.source} names no other; name more classes"
        )
    return _Named(names.source, kept, (0,) if reduced else ())


def _kept(named: _Named, keep_classes: Sequence[Kept] | None) -> tuple[tuple[str, ...], dict[str, int]]:
    """The classes that are learned, and name in the data set -> label."""
    known = tuple(dict.fromkeys(named.names.values()))
    if keep_classes is None:
        return known, {name: label for label, name in enumerate(known)}
    groups = _groups(keep_classes)
    takes, faults = dict[str, int](), list[str]()
    for label, (new, old) in enumerate(groups):
        for name in old:
            if name not in known:
                near = get_close_matches(name, known, 1)
                faults.append(f"{name!r} is none{f', nearest is {near[0]!r}' if near else ''}")
            elif name in takes:
                faults.append(f"{name!r} is in {groups[takes[name]][0]!r} and {new!r}")
            takes.setdefault(name, label)
    classes = tuple(new for new, _ in groups)
    if len(set(classes)) < len(classes) or not classes:
        faults.append("each new class must have a name of its own" if classes else "it is empty")
    if faults:
        raise ManifestError(
            f"data.keep_classes does not fit the {len(known)} classes of {named.source}: {'; '.join(faults)}; use "
            f"{_some(known)}"
        )
    return classes, takes


def _groups(keep_classes: Sequence[Kept]) -> list[tuple[str, tuple[str, ...]]]:
    """New name -> the classes that it takes in, in order."""
    found = []
    for kept in keep_classes:
        pairs = list(kept.items()) if isinstance(kept, Mapping) else [(kept, [kept])]
        found += [(normal_label(new), tuple(map(normal_label, old))) for new, old in pairs]
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
