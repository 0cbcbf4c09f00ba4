"""skipped.csv in the run's folder: every training video that could not be read, why, and how often it was asked for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import distributed

from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.quarantine import HEADER
from stvit_video.utils.atomic_files import write_table

Place = tuple[str, float | None, float | None]  # file, or archive and name in it; begin and end in seconds


class Skipped(NamedTuple):
    """Why a video could not be read, and how often it was asked for."""

    reason: str
    times: int


class SkippedVideos(Callback):
    """Writes skipped.csv after each epoch and where the training is stopped, once there is something to list.

    The list has the form of a quarantine list, so that `data.quarantine=skipped.csv` leaves its videos out next time.
    It holds what all processes and their loaders skipped, also before the training was resumed; so does the count
    `train/num_skipped`, which is carried along here. Where a process fails,
    it can't ask the others: then the first one writes what it knows of them, and another one a file of its own,
    skipped_rank1.csv and so on.

    Args:
        run_dir: the run's folder.
        manifest: the training videos that the module's `skipped` counts by their index.
        kind: what they are, "video" or "picture".
    """

    def __init__(self, run_dir: Path, manifest: Manifest, *, kind: str = "video") -> None:
        self.kind = kind
        self.run_dir = run_dir
        self.manifest = manifest
        self._before: dict[Place, Skipped] = {}  # resumed
        self._elsewhere: dict[Place, Skipped] = {}  # other processes, when they were last asked
        self._total: dict[Place, Skipped] = {}
        self._counts = [(0, 0)]  # of each process: unreadable videos and videos drawn, to go on with

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the module count on from a checkpoint; the first process for all, where there are more or fewer now."""
        counts: list[Any] = self._counts
        if len(counts) != trainer.world_size:
            sums = tuple(sum(column) for column in zip(*counts, strict=True))
            counts = [sums] + [(0, 0)] * (trainer.world_size - 1)
        module: Any = pl_module
        module.num_skipped, module.num_seen = counts[trainer.global_rank]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Collect from all processes; the first one writes."""
        self._collect(trainer, pl_module)
        if trainer.is_global_zero:
            write_skipped(self.run_dir / "skipped.csv", self._total)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Collect from all processes what goes into a checkpoint, which may be written within an epoch."""
        self._collect(trainer, pl_module)
        checkpoint["callbacks"][self.state_key] = self.state_dict()

    def _collect(self, trainer: Trainer, pl_module: LightningModule) -> None:
        module: Any = pl_module
        own = self._own(pl_module), (module.num_skipped, module.num_seen)
        parts: list[Any] = [own] * trainer.world_size
        if trainer.world_size > 1:
            distributed.all_gather_object(parts, own)
        self._elsewhere = merged(part for rank, (part, _) in enumerate(parts) if rank != trainer.global_rank)
        self._total = merged((self._before, own[0], self._elsewhere))
        self._counts = [counts for _, counts in parts]

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say how many there are and what can be done, on the first process only."""
        if self._total and trainer.is_global_zero:
            path = self.run_dir / "skipped.csv"
            kinds = self.kind if len(self._total) == 1 else f"{self.kind}s"
            trainer.print(
                f"{len(self._total)} training {kinds} could not be read, {path} says why; "
                f"data.quarantine={path} leaves them out next time",
                flush=True,
            )

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Write what this process knows."""
        if trainer.is_global_zero:
            known = merged((self._before, self._own(pl_module), self._elsewhere))
            write_skipped(self.run_dir / "skipped.csv", known)
        else:
            write_skipped(self.run_dir / f"skipped_rank{trainer.global_rank}.csv", self._own(pl_module))

    def state_dict(self) -> dict[str, Any]:
        """The list and the counts of each process as plain values, for a checkpoint."""
        rows = [[*place, *skipped] for place, skipped in self._total.items()]
        return {"skipped": rows, "counts": [list(counts) for counts in self._counts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rows = state_dict["skipped"]
        self._before = {(path, start, end): Skipped(reason, times) for path, start, end, reason, times in rows}
        self._total = dict(self._before)
        self._counts = [tuple(counts) for counts in state_dict.get("counts", [])] or [(0, 0)]  # not in older files

    def _own(self, pl_module: LightningModule) -> dict[Place, Skipped]:
        counted: Any = pl_module.skipped
        return {_place(self.manifest.records[index]): Skipped(*found) for index, found in counted.items()}


def merged(parts: Iterable[Mapping[Place, Skipped]]) -> dict[Place, Skipped]:
    """All of them; of a video in several the first reason and the sum of the times."""
    total: dict[Place, Skipped] = {}
    for part in parts:
        for place, skipped in part.items():
            before = total.get(place, Skipped(skipped.reason, 0))
            total[place] = before._replace(times=before.times + skipped.times)
    return total


def write_skipped(path: Path, skipped: Mapping[Place, Skipped]) -> None:
    """Write the list, sorted by path; nothing where it is empty.

    Raises:
        OSError: the file can't be written.
    """
    if skipped:
        rows = [(*place, found.reason, found.times) for place, found in skipped.items()]
        write_table(path, header=(*HEADER, "times"), rows=sorted(rows, key=lambda row: (row[0], row[1] or 0.0)))


def _place(record: VideoRecord) -> Place:
    path = record.place if record.member else str(record.path.absolute())
    return (path, record.start_seconds, record.end_seconds)
