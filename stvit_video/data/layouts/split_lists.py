"""What the official text lists of UCF101 and HMDB51 have in common."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from stvit_video.data.layouts.places import Reading, published_folder
from stvit_video.data.manifests.builder import Listed, Missing, check_missing, find_video
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.addresses import Place

NUM_SPLITS = 3


def find_official_split(
    read: Callable[..., Manifest],
    part: str,
    *,
    layout: str,
    published_lists: str,
    published_videos: str,
    known_classes: Sequence[str] | None,
    lists: Place | None = None,
    videos: Place | None = None,
    root: Place | None = None,
    split: int = 1,
    missing: Missing = "error",
) -> Reading:
    """Find the official lists and the videos of a data set.

    Args:
        read: the layout's reader.
        part: "train" or "val".
        layout: its name, for messages.
        published_lists: name of the folder of the lists as it is published.
        published_videos: name of the folder of the class folders as it is published.
        known_classes: labels in the order of a model's logits; None = those of the lists.
        lists: folder of the lists; None = that of the published name in root.
        videos: folder of the class folders; None = that of the published name in root.
        root: holds both.
        split: with missing: see `read`.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a folder does not exist.
    """
    return partial(
        read,
        published_folder(lists, "lists", published_lists, root=root, source=layout),
        video_dir=published_folder(videos, "videos", published_videos, root=root, source=layout),
        part=part,
        split=split,
        classes=known_classes,
        missing=missing,
    )


def check_choices(part: str, split: int, missing: str) -> None:
    """Refuse an unknown part, split or wish for missing videos.

    Raises:
        ValueError: one is unknown.
    """
    if part not in ("train", "val"):
        raise ValueError(f'part={part!r} is unknown; choose "train" or "val"')
    if split not in range(1, NUM_SPLITS + 1):
        raise ValueError(f"split={split!r} is unknown; the official splits are 1, 2 and 3")
    check_missing(missing)


def read_lines(path: Path) -> list[tuple[int, str]]:
    """(line, text without blanks around it) of each line that is not blank.

    Raises:
        ManifestError: the file is absent or unreadable.
    """
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


def find_listed(line: int, label: str, name: str, video_dir: Path, files: Mapping[tuple[str, str], Path]) -> Listed:
    """The entry of a listed file: as it is in `files` (see `index_videos`), or where it should be."""
    path = find_video(files, label, Path(name).stem) or video_dir / label / name
    return Listed(line, path.relative_to(video_dir).as_posix(), path, label)
