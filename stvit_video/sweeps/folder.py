"""The folder of a sweep: which one a command means, what it was started with, and that one launcher works in it."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stvit_video.sweeps.expand import Overrides
from stvit_video.sweeps.jobs import JOBS_FILE, SweepError, read_jobs
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.file_lock import file_lock

ORIGIN_FILE = "sweep.json"
LOCK_FILE = ".launcher.lock"
SAME = ("module", "settings")  # of what a sweep was started with, what makes it the same


def named_folder(base: Path, name: str) -> Path:
    """The folder of a sweep with a name.

    Raises:
        SweepError: the name is not that of one folder.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[\w+=][\w.+=-]*", name):
        raise SweepError(f"sweep.name={name!r} must be a word: letters, digits and _ + = . - (not first)")
    return base / name


def find_unfinished(base: Path, *, origin: Mapping[str, str], jobs: set[Overrides]) -> Path | None:
    """The newest sweep below `base` of exactly these jobs and settings that has jobs to do and no launcher.

    Args:
        base: sweeps lie in it, or one folder deeper.
        origin: as `write_origin` takes it.
        jobs: the overrides of each.
    """
    files = sorted([*base.glob(f"*/{ORIGIN_FILE}"), *base.glob(f"*/*/{ORIGIN_FILE}")], key=lambda p: p.stat().st_mtime)
    for folder in (path.parent for path in reversed(files)):
        try:
            table = read_jobs(folder / JOBS_FILE)
            before = read_origin(folder)
            same = all(before.get(key) == origin[key] for key in SAME) and {job.overrides for job in table} == jobs
        except (OSError, ValueError):
            continue  # a sweep that ended before its table was there has nothing to go on from
        if same and any(job.state != "done" for job in table) and not is_locked(folder):
            return folder
    return None


def write_origin(folder: Path, origin: Mapping[str, str]) -> None:
    """Keep what a sweep was started with.

    Args:
        folder: of the sweep.
        origin: the module that is run, a digest of the configuration as "settings", and the command, to be read.

    Raises:
        OSError: the file can't be written.
    """
    write_text(folder / ORIGIN_FILE, json.dumps(dict(origin), indent=2) + "\n")


def read_origin(folder: Path) -> dict[str, str]:
    """What a sweep was started with.

    Raises:
        SweepError: the file is damaged.
        OSError: it can't be read.
    """
    try:
        content = json.loads((folder / ORIGIN_FILE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise SweepError(f"{folder / ORIGIN_FILE} is damaged ({error}); choose another sweep.name") from error
    return {str(key): str(value) for key, value in content.items()}


def check_origin(folder: Path, origin: Mapping[str, str]) -> None:
    """Raise unless the sweep in that folder was started with the same command and configuration.

    Raises:
        SweepError: it was not, or the file is damaged.
    """
    before = read_origin(folder)
    if before.get("module") != origin["module"]:
        raise SweepError(f"{folder} holds a sweep of {before.get('module')}; choose another sweep.name")
    if before.get("settings") != origin["settings"]:
        raise SweepError(
            f"the configuration files have changed since the sweep in {folder} was started, so its jobs would no "
            "longer be comparable; choose another sweep.name, or undo the change"
        )


@contextmanager
def sweep_lock(folder: Path) -> Iterator[None]:
    """Within, no other launcher can work in this folder; the system ends this when the process ends, however it does.

    Raises:
        SweepError: another one works in it.
        OSError: the folder can't be written.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(folder / LOCK_FILE))
        except BlockingIOError as error:
            raise SweepError(
                f"a launcher is at work in {folder}; wait for it, or start another sweep with another sweep.name"
            ) from error
        yield


def is_locked(folder: Path) -> bool:
    """Whether a launcher is at work in this folder."""
    try:
        with sweep_lock(folder):
            return False
    except SweepError:
        return True
