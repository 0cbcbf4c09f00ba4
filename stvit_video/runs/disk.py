"""Check that a run can write its folder, and that the disk has room for its checkpoints."""

import os
import shutil
import tempfile
from pathlib import Path

from torch import nn

from stvit_video.settings.optim_settings import OptimSettings

COPIES_KEPT = 4  # last, previous and best, and the one being written
BYTES = {"64-true": 8, "64": 8, "16-true": 2, "bf16-true": 2}  # of a weight; else 4
UNITS = ((9, "GB"), (6, "MB"), (3, "kB"))
OTHER_FOLDER = "choose another folder with hydra.run.dir"


def folder_faults(folder: Path) -> list[str]:
    """List why a run can't write to this folder. A file is written to try it, and deleted.

    Args:
        folder: it may be new; then the nearest folder that is there is tried.
    """
    there = _nearest(folder)
    if not there.is_dir():
        return [f"{folder} can't be the folder of a run, {there} is no folder; {OTHER_FOLDER}"]
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x")
    except OSError as error:
        return [f"{there} can't be written ({error.strerror}); mend that, or {OTHER_FOLDER}"]
    return []


def disk_space_fault(folder: Path, num_bytes: int) -> str:
    """Describe the lack of disk space for the checkpoints that a run keeps, in a sentence; "" = there is room.

    Args:
        folder: of the run; checkpoints that lie there already are counted as room.
        num_bytes: of a checkpoint.
    """
    there = shutil.disk_usage(_nearest(folder)).free + sum(path.stat().st_size for path in folder.glob("*.ckpt"))
    if there >= COPIES_KEPT * num_bytes:
        return ""
    return (
        f"{folder} has room for {size_words(there)} of checkpoints, the run keeps {COPIES_KEPT} of "
        f"{size_words(num_bytes)} at a time; make room, or choose a folder on another disk with hydra.run.dir"
    )


def size_words(num_bytes: int) -> str:
    """A number of bytes with three digits, such as "3.28 GB" or "950 kB"."""
    power, unit = next(((10**power, unit) for power, unit in UNITS if num_bytes >= 10**power), (1, "bytes"))
    return f"{num_bytes / power:.3g} {unit}"


def checkpoint_bytes(model: nn.Module, optim: OptimSettings, *, precision: str = "32-true") -> int:
    """Estimate the size of a checkpoint: weights, their average, and the optimizer's state of the trained weights.

    Args:
        model: frozen as it will be; it may be on the device "meta".
        optim: the `optim` settings.
        precision: as Lightning names it.
    """
    moments = 2 if optim.optimizer == "adamw" else int(optim.momentum > 0)
    sets = 1 if optim.ema_decay is None else 2
    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    num_all = sum(tensor.numel() for tensor in model.state_dict().values())
    return BYTES.get(precision, 4) * (sets * num_all + moments * num_trained)


def _nearest(folder: Path) -> Path:
    """The path itself, or its nearest parent that exists."""
    path = folder.absolute()
    return next(place for place in (path, *path.parents) if os.path.exists(place))
