"""bundle.json: what a bundle says of itself, and how its JSON files are read and written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video import __version__
from stvit_video.utils.known_folders import BUNDLE_FILE, checkpoint_of_run

BUNDLE_VERSION = 1
DESCRIPTION = BUNDLE_FILE
LABELS = "labels.txt"
PREPROCESSING = "preprocessing.json"
GOLDEN = "golden.npz"
SPEED = "speed.json"
CARD = "card.md"
WHOLE, STREAMING = ("clip",), ("encode", "decide")  # graphs of a bundle
NEEDED: dict[str, type] = {
    "format": str,
    "precision": str,
    "task": str,
    "model": dict,
    "graphs": dict,
    "input": list,
    "num_classes": int,
    "multi_label": bool,
    "versions": dict,
    "digests": dict,
}
GIVE_BUNDLE = "give a folder made by python -m stvit_video.export"
EXPORT_AGAIN = "export the checkpoint again with python -m stvit_video.export"


class BundleError(ValueError):
    """A folder that is no bundle, or one that can't be used here; the message says why and what to do."""


def is_bundle(path: str | Path) -> bool:
    """Whether a path is that of a bundle: a folder with bundle.json in it."""
    return Path(path, DESCRIPTION).is_file()


def refuse_bundle(path: str | Path, *, advice: str = "") -> None:
    """Raise where a bundle is given as ckpt_path=, by its folder or its description.

    Args:
        path: that is given.
        advice: what to do, for a command that takes no bundles; "" = give it as bundle=.

    Raises:
        ValueError: it is.
    """
    folder = Path(path).parent if Path(path).name == DESCRIPTION else Path(path)
    if is_bundle(folder):
        raise ValueError(f"ckpt_path={path} is a bundle, not a checkpoint; {advice or f'give bundle={folder}'}")


def bundles_in(folder: Path) -> list[Path]:
    """The bundles in a folder, such as that of a run, sorted by name."""
    return sorted(path.parent for path in folder.glob(f"*/{DESCRIPTION}"))


def read_description(folder: Path) -> dict[str, Any]:
    """bundle.json of a folder, once its version and the kinds of its values are known to be right.

    Raises:
        BundleError: no bundle, one of a newer version, or one that is damaged.
        OSError: the file can't be read.
    """
    if not is_bundle(folder):
        raise BundleError(_why_no_bundle(folder))
    said = read_json(folder / DESCRIPTION)
    version = said.get("bundle")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise damaged(folder, f"its version is {version!r}")
    if version > BUNDLE_VERSION:
        versions = said.get("versions")
        writer = versions.get("stvit_video") if isinstance(versions, dict) else "of a later version"
        raise BundleError(
            f"the bundle {folder} is of version {version}, written by stvit_video {writer}, and stvit_video "
            f"{__version__} reads version {BUNDLE_VERSION}; install a newer stvit_video, or {EXPORT_AGAIN}"
        )
    wrong = [f"{name} is no {kind.__name__}" for name, kind in NEEDED.items() if type(said.get(name)) is not kind]
    tables = [name for name in ("graphs", "digests") if isinstance(said.get(name), dict)]
    wrong += [f"{name} is no table of texts" for name in tables if not _is_of_texts(said[name])]
    if wrong:
        raise damaged(folder, "; ".join(wrong))
    return said


def read_json(path: Path) -> dict[str, Any]:
    """The table of a JSON file.

    Raises:
        BundleError: the file holds no JSON, or no table.
        OSError: it can't be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"{path} can't be read as JSON ({error}); {EXPORT_AGAIN}") from error
    if not isinstance(found, dict):
        raise BundleError(f"{path} holds a {type(found).__name__}, not a table; {EXPORT_AGAIN}")
    return found


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write plain values as JSON (UTF-8) that is read by people, too."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def damaged(folder: Path, why: str) -> BundleError:
    """The error of a bundle.json that can't be used."""
    return BundleError(f"{folder / DESCRIPTION} is damaged ({why}); {EXPORT_AGAIN}")


def _why_no_bundle(path: Path) -> str:
    """What a path is that is no bundle, and what to give."""
    if not path.exists():
        return f"there is no {path}; {GIVE_BUNDLE}"
    if is_bundle(path.parent) and path.is_file():
        return f"{path} is a file of a bundle; give its folder, {path.parent}"
    if path.suffix == ".ckpt":
        return f"{path} is a checkpoint, not a bundle; give ckpt_path={path}"
    if checkpoint := checkpoint_of_run(path):
        ways = [*(f"bundle={bundle}" for bundle in bundles_in(path)), f"ckpt_path={checkpoint}"]
        return f"{path} is the folder of a run, not a bundle; give {' or '.join(ways)}"
    kind = "has no" if path.is_dir() else "is no folder, and a bundle is one with a"
    return f"{path} {kind} {DESCRIPTION}; {GIVE_BUNDLE}"


def _is_of_texts(values: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in values.values())
