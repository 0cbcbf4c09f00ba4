"""What the official text lists of UCF101 and HMDB51 have in common."""

from collections.abc import Mapping
from pathlib import Path

from stvit_video.data.manifests.builder import Listed, check_missing
from stvit_video.data.manifests.faults import ManifestError

NUM_SPLITS = 3


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
    path = files.get((label, Path(name).stem), video_dir / label / name)
    return Listed(line, path.relative_to(video_dir).as_posix(), path, label)
