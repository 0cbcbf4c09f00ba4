"""Data sets that are published as text lists beside class folders: UCF101 and HMDB51, with their official splits."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from stvit_video.data.csv_rows import Faults, ManifestError
from stvit_video.data.groups import Group, check_groups, ucf101_group
from stvit_video.data.listing import (
    Listed,
    Manifest,
    Missing,
    build_manifest_of,
    check_missing,
    index_videos,
    settle_missing,
)

NUM_SPLITS = 3
_HMDB51_CODES = {"train": "1", "val": "2"}  # 0 = in neither


def read_ucf101_manifest(
    list_dir: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    part: str,
    split: int = 1,
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
) -> Manifest:
    """Read an official split of UCF101: `classInd.txt`, `trainlist0<split>.txt` and `testlist0<split>.txt`.

    A video is `<Class>/v_<Class>_gXX_cYY.avi`, or the same with another video extension.

    Args:
        list_dir: folder of the lists, published as `ucfTrainTestlist`.
        video_dir: folder of the class folders, published as `UCF-101`.
        part: "train" or "val"; the official test list is the validation part.
        split: 1, 2 or 3.
        classes: class names in the order of the labels; None = the order of `classInd.txt`.
        missing: "error", "drop" or "keep", see `read_kinetics_manifest`.

    Raises:
        ManifestError: a list is absent or faulty, or a group of clips is in both lists of the split.
        ValueError: an unknown part, split or `missing`.
    """
    _check_choices(part, split, missing)
    folder, videos = Path(list_dir), Path(video_dir)
    numbered = _read_class_numbers(folder / "classInd.txt")
    paths = {"train": folder / f"trainlist{split:02d}.txt", "val": folder / f"testlist{split:02d}.txt"}
    faults = {name: Faults(path) for name, path in paths.items()}
    rows = {name: _read_ucf101_list(path, numbered, faults[name]) for name, path in paths.items()}
    for found in faults.values():
        found.raise_if_any()
    groups = {name: [group for _, _, group in of_part] for name, of_part in rows.items()}
    check_groups(groups["train"], groups["val"], train_source=str(paths["train"]), test_source=paths["val"].name)
    files = index_videos(videos)
    listed = [_find_file(line, group.label, name, videos, files) for line, name, group in rows[part]]
    listed = settle_missing(listed, files, video_dir=videos, missing=missing, faults=faults[part])
    return build_manifest_of(listed, tuple(numbered.values()) if classes is None else classes, faults[part])


def read_hmdb51_manifest(
    list_dir: str | os.PathLike[str],
    *,
    video_dir: str | os.PathLike[str],
    part: str,
    split: int = 1,
    classes: Sequence[str] | None = None,
    missing: Missing = "error",
) -> Manifest:
    """Read an official split of HMDB51: a file `<class>_test_split<split>.txt` for each class.

    Its rows are a file name and 1 (training), 2 (test) or 0 (in neither). A video is `<class>/<file name>`,
    or the same with another video extension.

    Args:
        list_dir: folder of the lists, published as `testTrainMulti_7030_splits`.
        video_dir: folder of the class folders.
        part: "train" or "val"; the official test clips are the validation part.
        split: 1, 2 or 3.
        classes: class names in the order of the labels; None = those that have a list, sorted.
        missing: "error", "drop" or "keep", see `read_kinetics_manifest`.

    Raises:
        ManifestError: lists are absent or faulty.
        ValueError: an unknown part, split or `missing`.
    """
    _check_choices(part, split, missing)
    folder, videos = Path(list_dir), Path(video_dir)
    ending = f"_test_split{split}.txt"
    lists = {path.name.removesuffix(ending): path for path in sorted(folder.glob(f"*{ending}"))}
    if not lists:
        raise ManifestError(f"there is no list <class>{ending} in {folder}; correct the folder of the lists")
    faults, files = Faults(folder), index_videos(videos)
    listed: list[Listed] = []
    for label, path in lists.items():
        names = _read_hmdb51_list(path, _HMDB51_CODES[part], faults)
        listed += [_find_file(0, label, name, videos, files) for name in names]
    listed = settle_missing(listed, files, video_dir=videos, missing=missing, faults=faults)
    return build_manifest_of(listed, sorted(lists) if classes is None else classes, faults)


def _check_choices(part: str, split: int, missing: str) -> None:
    if part not in _HMDB51_CODES:
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    if split not in range(1, NUM_SPLITS + 1):
        raise ValueError(f"split={split!r} is unknown; the official splits are 1, 2 and 3")
    check_missing(missing)


def _read_lines(path: Path) -> list[tuple[int, str]]:
    """(line, text without blanks around it) of each line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ManifestError(f"there is no list {path}; get the official split files, or correct the folder") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not readable as text in UTF-8 ({error}); get the official file") from error
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror or error}); check the file") from error
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _read_class_numbers(path: Path) -> dict[str, str]:
    """Class number as written -> class name, of rows like "1 ApplyEyeMakeup"."""
    faults = Faults(path)
    numbered: dict[str, str] = {}
    for line, text in _read_lines(path):
        number, *names = text.split()
        if not number.isdecimal() or len(names) != 1:
            faults.add(line, f"{text!r} is not a number and a class name; write e.g. 1 ApplyEyeMakeup")
        elif number in numbered or names[0] in numbered.values():
            faults.add(line, f"{text!r} repeats a number or a class; name each class once")
        else:
            numbered[number] = names[0]
    if not numbered and not faults.found:
        faults.add(0, "it names no class; get the official file")
    faults.raise_if_any()
    return numbered


def _read_ucf101_list(path: Path, numbered: Mapping[str, str], faults: Faults) -> list[tuple[int, str, Group]]:
    """(line, file name, group) of each row; the class number, which test lists lack, is compared with the folder."""
    rows: list[tuple[int, str, Group]] = []
    for line, text in _read_lines(path):
        written, *number = text.split()
        group = ucf101_group(written)
        if group is None or len(number) > 1:
            faults.add(line, f"{text!r} is not <Class>/v_<Class>_gXX_cYY.avi and a class number; get the official list")
        elif number and numbered.get(number[0]) != group.label:
            named = numbered.get(number[0], "no class")
            faults.add(line, f"{written} has number {number[0]}, which is {named} in classInd.txt; correct one of them")
        else:
            rows.append((line, written.partition("/")[2], group))
    return rows


def _read_hmdb51_list(path: Path, code: str, faults: Faults) -> list[str]:
    """File names of the rows with this code."""
    chosen: list[str] = []
    first: dict[str, int] = {}
    for line, text in _read_lines(path):
        name, _, found = text.rpartition(" ")
        name = name.strip()
        if not name or found not in ("0", "1", "2"):
            faults.add(0, f"{path.name}, line {line}: {text!r} is not a file name and 0, 1 or 2; get the official list")
        elif first.setdefault(name, line) != line:
            faults.add(0, f"{path.name}, line {line}: {name} is listed already in line {first[name]}; remove one")
        elif found == code:
            chosen.append(name)
    return chosen


def _find_file(line: int, label: str, name: str, video_dir: Path, files: Mapping[tuple[str, str], Path]) -> Listed:
    path = files.get((label, Path(name).stem), video_dir / label / name)
    return Listed(line, path.relative_to(video_dir).as_posix(), path, label)
