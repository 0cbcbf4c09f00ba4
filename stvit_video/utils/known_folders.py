"""Files by which a folder of ours is known: that of a training, and a bundle."""

from pathlib import Path

__all__ = ["BUNDLE_FILE", "checkpoint_of_run"]

BUNDLE_FILE = "bundle.json"  # in a folder of stvit_video.export
RUN_CHECKPOINTS = ("best.ckpt", "last.ckpt")


def checkpoint_of_run(folder: Path) -> Path | None:
    """The best checkpoint, or the last, in the folder of a run; None = the path is no such folder."""
    return next((folder / name for name in RUN_CHECKPOINTS if (folder / name).is_file()), None)
