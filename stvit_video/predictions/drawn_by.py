"""Which checkpoint drew the files of a folder, so that no other one writes over them."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stvit_video.utils.atomic_files import write_text

__all__ = ["drawn_by"]

FILE = ".drawn_by.json"  # the name of what was drawn -> the checkpoint


@contextmanager
def drawn_by(checkpoint: Path, names: Sequence[str], *, folder: Path, endings: Sequence[str]) -> Iterator[None]:
    """Within this, the checkpoint draws files of these names; afterwards the folder says so of those that are there.

    Args:
        checkpoint: its file or folder.
        names: of the drawings, without endings.
        folder: where they go.
        endings: of the files of a drawing.

    Raises:
        ValueError: a file of one of the names is there, and another checkpoint drew it.
    """
    own, known = os.path.abspath(checkpoint), _read(folder)
    there = {name for name in names if _is_drawn(name, folder, endings)}
    if strange := [name for name in names if name in there and known.get(name, own) != own]:
        more = f" and of {len(strange) - 1} more" if len(strange) > 1 else ""
        raise ValueError(
            f"{folder} holds the results of {strange[0]}{more} by another checkpoint, {known[strange[0]]}; give "
            "another folder as out=, or remove them"
        )
    try:
        yield
    finally:
        if drawn := [name for name in names if _is_drawn(name, folder, endings)]:
            write_text(folder / FILE, json.dumps({**known, **dict.fromkeys(drawn, own)}, indent=2) + "\n")


def _is_drawn(name: str, folder: Path, endings: Sequence[str]) -> bool:
    return any((folder / f"{name}{ending}").exists() for ending in endings)


def _read(folder: Path) -> dict[str, str]:
    """What the folder says; nothing where its file is missing or damaged, as it guards only against a mistake."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(by) for name, by in found.items()} if isinstance(found, dict) else {}
