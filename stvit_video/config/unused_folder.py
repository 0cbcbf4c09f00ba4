"""The folder that Hydra makes for a command that is then refused."""

import re
import shutil
from pathlib import Path

__all__ = ["remove_if_unused"]

DATE, TIME = r"\d{4}-\d\d-\d\d", r"\d\d-\d\d-\d\d"
HYDRA = ".hydra"


def remove_if_unused(folder: Path) -> None:
    """Remove the folder of a start where nothing was written but by Hydra: its settings and an empty log.

    Only a folder named by date and time is removed, and that of the date once it is empty: one that has a name may be
    another start's, too. What can't be removed stays.

    Args:
        folder: such as outputs/2026-11-28/09-17-11.
    """
    if not (re.fullmatch(TIME, folder.name) and re.fullmatch(DATE, folder.parent.name)):
        return
    if not all(_is_hydras(path, folder) for path in folder.rglob("*") if not path.is_dir()):
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.rmdir()
    except OSError:  # another start of this day has a folder there
        return


def _is_hydras(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder)
    is_empty_log = len(inside.parts) == 1 and path.suffix == ".log" and path.stat().st_size == 0
    return inside.parts[0] == HYDRA or is_empty_log
