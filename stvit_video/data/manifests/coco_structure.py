"""Whether a JSON text is a COCO file of annotations, and whether its ids fit one another."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings, doubles, first_of

__all__ = ["check_ids", "parse_coco"]

LISTS = ("images", "annotations", "categories")
Row = Mapping[str, Any]
Id = int | str
_WAYS_APART = {"id": "number them anew", "name": "rename one, or merge the two"}


def parse_coco(content: bytes, *, source: str) -> dict[str, Any]:
    """The document of a COCO file of annotations.

    Args:
        content: of the file.
        source: its name, for messages.

    Raises:
        ManifestError: it is no JSON, cut off, a file of results, or lacks one of images, annotations, categories.
    """
    try:
        document = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"{source} {_no_json(content, error)}") from error
    if isinstance(document, list):
        is_result = bool(document) and isinstance(document[0], dict) and "score" in document[0]
        what = "the results of a detector (a list with scores)" if is_result else "a list"
        raise ManifestError(f"{source} is {what}; give a file of annotations, which is an object with {_and(LISTS)}")
    lacking = [name for name in LISTS if name not in document] if isinstance(document, dict) else list(LISTS)
    if lacking:
        raise ManifestError(
            f"{source} has no {_and(lacking)}; a COCO file of annotations has {_and(LISTS)}: export it as "
            '"COCO", with the annotations in it'
        )
    others = [name for name in LISTS if not isinstance(document[name], list)]
    if others:
        raise ManifestError(f"{source}: {_and(others)} must be a list; export it anew as COCO")
    return document


def check_ids(document: Mapping[str, Sequence[Row]]) -> Findings:
    """Find entries without what is needed, ids that stand twice, and references to what is not there.

    Args:
        document: from `parse_coco`.
    """
    found = Findings()
    for name, checks in _FIELDS.items():
        for key, (is_right, rule) in checks.items():
            bad = [n for n, row in enumerate(document[name]) if not (isinstance(row, dict) and is_right(row.get(key)))]
            if bad:
                found.faults.append(
                    f"{len(bad)} of {len(document[name])} {name} have no {key} that is {rule}, "
                    f"{first_of(_shown(document[name][n], n) for n in bad)}; correct them"
                )
    if not found.faults:  # else ids can't be compared
        _find_doubles(document, found)
        _find_strangers(document, found)
    return found


def _find_doubles(document: Mapping[str, Sequence[Row]], found: Findings) -> None:
    pairs = (("images", "id"), ("annotations", "id"), ("categories", "id"), ("categories", "name"))
    for name, key in pairs:
        values = [row[key] for row in document[name] if key in row]
        if twice := doubles(values):
            found.faults.append(
                f"{len(twice)} values of {key} stand more than once among the {name}, {first_of(twice)}; "
                f"each must have its own: {_WAYS_APART[key]}"
            )
    if twice := doubles([row["file_name"] for row in document["images"]]):
        found.warnings.append(
            f"{len(twice)} pictures are listed under more than one id, {first_of(twice)}; each counts as a picture of "
            "its own: put their annotations under one id"
        )


def _find_strangers(document: Mapping[str, Sequence[Row]], found: Findings) -> None:
    for key, name in (("image_id", "images"), ("category_id", "categories")):
        known = {row["id"] for row in document[name]}
        strangers = Counter(row[key] for row in document["annotations"] if row[key] not in known)
        if strangers:
            article = "an" if key == "image_id" else "a"
            found.faults.append(
                f"{strangers.total()} of {len(document['annotations'])} annotations have {article} {key} that none of "
                f"the {len(known)} {name} has, {first_of(strangers)}; {_way_out(strangers, known, name)}"
            )
    if not document["images"]:
        found.faults.append("images is empty; list at least one picture")
    if not document["categories"]:
        found.faults.append("categories is empty; name at least one class")


def _way_out(strangers: Iterable[Id], known: Iterable[Id], name: str) -> str:
    """What to do with ids that are not known: they may be known as texts, or as numbers."""
    alike = {str(value) for value in known}
    written = [value for value in strangers if str(value) in alike]
    if not written:
        return f"add these {name}, or remove the annotations"
    kinds = ("texts", "numbers") if isinstance(written[0], str) else ("numbers", "texts")
    return f"such ids are {kinds[0]} in the annotations and {kinds[1]} in {name}: write them alike"


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and value != ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 2**31 and value == int(value)


def _is_box(value: Any) -> bool:
    is_list = isinstance(value, list) and len(value) == 4
    return is_list and all(isinstance(part, int | float) and not isinstance(part, bool) for part in value)


_ID = (_is_id, "a whole number or a text")
_FIELDS: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    "images": {
        "id": _ID,
        "file_name": (_is_text, "a text"),
        "width": (_is_length, "a whole number of pixels"),
        "height": (_is_length, "a whole number of pixels"),
    },
    "annotations": {
        "image_id": _ID,
        "category_id": _ID,
        "bbox": (_is_box, "a list of four numbers, [x, y, width, height]"),
    },
    "categories": {"id": _ID, "name": (_is_text, "a text")},
}


def _shown(row: Any, number: int) -> str:
    """An entry in a message: its id, or its number in the list."""
    has_id = isinstance(row, dict) and _is_id(row.get("id"))
    return f"id {row['id']!r}" if has_id else f"entry {number}"


def _no_json(content: bytes, error: Exception) -> str:
    if not content.strip():
        return "is empty; fetch or export it again"
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
            return f"is cut off after {len(content)} bytes; fetch or export it again"
        return f"is no JSON (line {error.lineno}, column {error.colno}: {error.msg}); give the COCO file of annotations"
    return f"is no JSON text ({error}); give the COCO file of annotations"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
