"""Lists of videos for tests: empty files, and a CSV that names them."""

from pathlib import Path


def touch(folder: Path, *names: str) -> None:
    """Make empty files; a manifest asks whether a file is there, not what is in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def write_csv(folder: Path, text: str) -> Path:
    """Write list.csv."""
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path
