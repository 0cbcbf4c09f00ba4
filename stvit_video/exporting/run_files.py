"""Which checkpoint is meant where a file, the folder of a run or an exported folder is given, and its result."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stvit_video.bundles.bundle_description import is_bundle
from stvit_video.models.checkpoints.files import EXPORTED

CHECKPOINTS = ("best", "last")
RESULT = "result.json"


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """A checkpoint and where it lies.

    Attributes:
        path: what is read: a .ckpt file, or an exported folder.
        folder: of the run; of an exported folder itself.
        result: result.json of the run; None = it is about another checkpoint, or there is none.
    """

    path: Path
    folder: Path
    result: dict[str, Any] | None

    @property
    def is_exported(self) -> bool:
        """Whether it is a folder that was exported already."""
        return self.path.is_dir()


def find_run_file(given: Path, *, checkpoint: str | None = None, has_choice: bool = False) -> RunFile:
    """The checkpoint that a path means.

    Args:
        given: a checkpoint file, the folder of a training, or an exported folder.
        checkpoint: of a folder of a training, "best" or "last"; None = the one that result.json is about, without one
            the best.
        has_choice: True = the caller's command has a setting checkpoint=, which an error may name.

    Raises:
        ValueError: a bundle, a folder without a checkpoint, or a result.json that can't be read.
    """
    if (given / EXPORTED).is_file():
        return RunFile(path=given, folder=given, result=_read_result(given))
    if is_bundle(given):
        raise ValueError(f"{given} is a bundle already; copy it, or give the checkpoint that it was made of")
    folder = given if given.is_dir() else given.parent
    result = _read_result(folder)
    evaluated = (result or {}).get("checkpoint")
    file = given
    if given.is_dir():
        file = folder / f"{checkpoint or evaluated or 'best'}.ckpt"
        if not file.is_file():
            there = [name for name in CHECKPOINTS if (folder / f"{name}.ckpt").is_file()]
            way = "give the folder of a run of stvit_video.train"
            if there:
                way = f"use checkpoint={there[0]}" if has_choice else f"give ckpt_path={folder / there[0]}.ckpt"
            raise ValueError(f"there is no {file}; {way}")
    return RunFile(path=file, folder=folder, result=result if evaluated == file.stem else None)


def _read_result(folder: Path) -> dict[str, Any] | None:
    """result.json of a run; None where it ended before its evaluation."""
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to export the run without its numbers") from error
