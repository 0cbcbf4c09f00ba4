"""Something-Something v2: JSON lists of ids and templates, a JSON of labels, and one folder of `<id>.webm`."""

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stvit_video.data.layouts.places import Reading, published_folder
from stvit_video.data.manifests.builder import (
    Listed,
    Missing,
    build_manifest_of,
    check_missing,
    find_video,
    index_videos,
    settle_missing,
)
from stvit_video.data.manifests.faults import Faults, ManifestError
from stvit_video.data.manifests.look_alikes import class_list
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place


def find_something_something(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    lists: Place | None = None,
    videos: Place | None = None,
    root: Place | None = None,
    missing: Missing = "error",
) -> Reading:
    """Find the published lists and the videos of Something-Something V2, under the names of either release.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        lists: folder of the lists; None = root.
        videos: folder of the videos; None = root/20bn-something-something-v2.
        root: holds both.
        missing: listed videos that are not there: "error", or "drop" = leave them out.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    source, name = "something_something_v2", {"train": "train", "val": "validation"}[part]
    folder = published_folder(lists, "lists", "", root=root, source=source)
    prefix = "" if (folder / "labels.json").is_file() else "something-something-v2-"  # the later release has none
    return partial(
        read_something_manifest,
        folder / f"{prefix}{name}.json",
        labels=folder / f"{prefix}labels.json",
        video_dir=published_folder(videos, "videos", "20bn-something-something-v2", root=root, source=source),
        classes=known_classes,
        missing=missing,
    )


def read_something_manifest(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str],
    video_dir: str | os.PathLike[str],
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
) -> Manifest:
    """Read a list of Something-Something v2: `[{"id": "78687", "template": "Holding [something] up", ...}, ...]`.

    The class is the template without its square brackets. A video is `<id>.webm` or of another video extension.

    Args:
        path: `something-something-v2-train.json` or `-validation.json`; the test list names no classes.
        labels: `something-something-v2-labels.json`: class name -> number.
        video_dir: folder of the videos.
        classes: class names in the order of the labels; None = by the numbers of `labels`.
        missing: "error", "drop" or "keep", see `read_kinetics_manifest`.

    Raises:
        ManifestError: a file is absent or faulty, or a class is unknown; all faults of a file in one error.
        ValueError: an unknown `missing`.
    """
    check_missing(missing)
    list_path, videos = Path(path), Path(video_dir)
    names = read_something_classes(labels)
    faults = Faults(list_path)
    entries = _read_json(list_path)
    if not isinstance(entries, list):
        raise ManifestError(f"{list_path} holds no list of videos ([...]); get the published file")
    files = index_videos(videos)
    listed = _list_entries(entries, videos, files, faults)
    listed = settle_missing(listed, files, video_dir=videos, missing=missing, faults=faults)
    return build_manifest_of(listed, names if classes is None else classes, faults)


def read_something_classes(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Class names in the order of their numbers, of a JSON like `{"Holding something": "0", ...}`.

    Raises:
        ManifestError: the file is absent or faulty, the numbers are not 0, 1, 2, ... each once, or two classes look
            alike.
    """
    numbers = _read_json(Path(path))
    if not isinstance(numbers, dict) or not numbers:
        raise ManifestError(f"{path} holds no class names with their numbers ({{...}}); get the published file")
    written = {str(number): _without_brackets(name) for name, number in numbers.items()}
    wanted = [str(number) for number in range(len(numbers))]
    if set(written) != set(wanted):
        odd = sorted(set(written) - set(wanted)) or ["one that stands twice"]
        raise ManifestError(
            f"{path} must number its {len(numbers)} classes 0 to {len(numbers) - 1}, each once; it has "
            f"{', '.join(odd[:5])}; get the published file"
        )
    faults = Faults(path)
    names = class_list([written[number] for number in wanted], faults)
    faults.raise_if_any()
    return names


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ManifestError(f"there is no {path}; get the published file, or correct the folder") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ManifestError(f"{path} is not readable as JSON ({error}); get the published file") from error
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror or error}); check the file") from error


def _without_brackets(template: str) -> str:
    return template.replace("[", "").replace("]", "").strip()


def _list_entries(
    entries: Sequence[Any], video_dir: Path, files: Mapping[tuple[str, str], Path], faults: Faults
) -> list[Listed]:
    listed: list[Listed] = []
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        name, template = _id_and_template(entry)
        if not name or not template:
            faults.add(0, f"entry {number} has no id or no template; only the train and validation lists have both")
        elif first.setdefault(name, number) != number:
            faults.add(0, f"entry {number}: id {name} is listed already as entry {first[name]}; remove one of the two")
        else:
            path = find_video(files, "", name) or video_dir / f"{name}.webm"
            listed.append(Listed(0, path.name, path, _without_brackets(template)))
    return listed


def _id_and_template(entry: object) -> tuple[str, str]:
    """Both as text, "" for what is not there."""
    if not isinstance(entry, dict):
        return "", ""
    template = entry.get("template", "")
    return str(entry.get("id", "")).strip(), template if isinstance(template, str) else ""
