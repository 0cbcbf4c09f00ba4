"""`python -m stvit_video.train`: train a video classifier, then evaluate its best checkpoint.

For example `+experiment=quickstart`, `+experiment=k400 data.root=/data/k400`, or on your own videos
`data=csv data.train=train.csv data.val=val.csv model=stvit_video_deit_tiny`.
"""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import MISSING, DictConfig, OmegaConf

from stvit_video.config.hydra_app import end_job
from stvit_video.config.nodes import register_nodes
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.loading.worker_crashes import naming_worker_crashes
from stvit_video.data.manifests.kept_split import SPLIT_FILE, split_in, write_split
from stvit_video.evaluation.distributed import ProcessFailedError
from stvit_video.factories.training import build_trainer
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.runs.preflight import CheckedStart, check_start
from stvit_video.runs.resume import (
    ResumePoint,
    check_resumable,
    find_resume_point,
    resume_point_of,
    run_lock,
    set_result_aside,
    write_config,
)
from stvit_video.settings.paths import CONF_DIR
from stvit_video.sweeps.launch import run_with_sweeps
from stvit_video.training.callbacks.checkpointing import CheckpointWriteError, LastCheckpoint
from stvit_video.training.callbacks.interruption import (
    REQUEUE_SIGNAL,
    TrainingInterruptedError,
    requeue_slurm_job,
    signals_given_back,
)
from stvit_video.training.callbacks.progress import SPEED
from stvit_video.training.callbacks.tensorboard import no_tracebacks_of_writers
from stvit_video.training.devices import LostProcessError
from stvit_video.training.task_module import TaskModule, TrainingStoppedError
from stvit_video.utils.command_line import Command
from stvit_video.utils.compat import is_of_lost_process, without_advertisements
from stvit_video.utils.open_files import OpenFilesError

USER_ERRORS = (
    ValueError,
    OSError,
    TrainingStoppedError,
    BrokenVideosError,
    LostProcessError,
    WorkerCrashError,
    OpenFilesError,
    NothingEvaluatedError,
    ProcessFailedError,
    CheckpointWriteError,
    MisconfigurationException,
)
COMMAND = Command(
    prog="python -m stvit_video.train",
    summary="Train a video classifier, then evaluate its best checkpoint. -m trains with each combination of values.",
    examples=(
        "python -m stvit_video.train +experiment=quickstart",
        "python -m stvit_video.train data=csv data.train=train.csv data.val=val.csv model=stvit_video_deit_tiny",
        "python -m stvit_video.train -m +experiment=quickstart model.num_tokens=8,16,64 sweep.name=tokens",
    ),
)
register_nodes()
OmegaConf.register_new_resolver("first_given", lambda one, other: other if one is None else one, replace=True)
# for experiments, whose own "???" would leave a null of train.yaml as it is
OmegaConf.register_new_resolver("required", lambda: MISSING, replace=True)


def train(values: Mapping[str, Any], *, run_dir: Path) -> dict[str, Any]:
    """Train as the settings say, and write checkpoints, logs, curves and result.json into the run directory.

    Where the folder holds a run of the same settings, it goes on from its newest whole checkpoint; a finished one is
    left as it is. What is wrong with settings, files, devices and disk is told together before any data is read.

    Args:
        values: the settings as plain values, see `stvit_video.settings.train_settings`; one that is left out has its
            default.
        run_dir: the folder of the run; with `ckpt_path` a training goes on in the folder of that checkpoint.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        ValueError: settings, manifests, a checkpoint or a run directory that can't be used, or another training at
            work in that directory.
        TrainingStoppedError: the loss is not finite, or too many videos can't be read.
        TrainingInterruptedError: a signal asked to stop; all is saved.
        CheckpointWriteError: the disk is full, for a checkpoint.
        LogWriteError: it is, for metrics.csv or TensorBoard.
        BrokenVideosError: so many videos in a row can't be read that more are broken than allowed.
        WorkerCrashError: the system ended a loader process.
        LostProcessError: another process of this training has ended.
        ProcessFailedError: one of several processes failed in the final evaluation.
    """
    checked = check_start(values, run_dir=run_dir)
    settings = checked.settings
    given = resume_point_of(settings.ckpt_path) if settings.ckpt_path else None
    with run_lock(given.run_dir if given else run_dir):
        start = given or find_resume_point(run_dir, settings.plain())
        if start.result is not None:
            rank_zero_only(print)(f"{start.run_dir} holds this run, and it is finished: {start.result['result']}")
            return start.result
        return _train_from(start, checked)


def _train_from(start: ResumePoint, checked: CheckedStart) -> dict[str, Any]:
    """The training itself, in a folder that is its own; see `train`."""
    run_dir, (task, settings, parts) = start.run_dir, checked
    seed_everything(settings.seed, workers=True, verbose=False)
    kept = None if start.checkpoint is None else split_in(run_dir)
    module, data = task.build(settings, parts, kept=kept)
    if start.checkpoint is not None:
        place = check_resumable(start.checkpoint, module, task)
        rank_zero_only(print)(f"going on from {start.checkpoint}: {place}", flush=True)
    write_config(run_dir, settings.plain())
    if kept is None and module.metadata.get("held_back") is not None:
        rank_zero_only(write_split)(run_dir / SPLIT_FILE, data.train_manifest, data.val_manifest)
    rank_zero_only(set_result_aside)(run_dir)
    with without_advertisements():
        return _fit_and_report(start, checked, module, data)


def _fit_and_report(start: ResumePoint, checked: CheckedStart, module: TaskModule, data: Any) -> dict[str, Any]:
    """Train, then evaluate what was trained."""
    run_dir, task, settings = start.run_dir, checked.task, checked.settings
    trainer = build_trainer(
        settings.trainer,
        run_dir=run_dir,
        seed=settings.seed,
        resumed=start.checkpoint is not None,
        monitor=module.monitor,
        callbacks=task.callbacks(settings, run_dir, data),
    )
    fit(trainer, module, data, run_dir=run_dir, resumed_from=start.checkpoint)
    rank_zero_only(print)(f"evaluating {settings.report_checkpoint}.ckpt", flush=True)
    same_everywhere = Path(trainer.strategy.broadcast(str(run_dir)))  # a name made of the time may differ
    return task.report(same_everywhere, settings, data, training_facts(trainer))


def training_facts(trainer: Trainer) -> dict[str, Any]:
    """What result.json says of the training, the parts before it was resumed included."""
    last = next(callback for callback in trainer.checkpoint_callbacks if isinstance(callback, LastCheckpoint))
    return {
        "seconds": round(last.seconds, 1),
        "epochs": trainer.current_epoch,
        "clips_per_second": last.train_metrics.get(SPEED, float("nan")),
        "num_skipped": int(last.train_metrics.get("train/num_skipped", 0)),  # of all processes
        "precision": str(trainer.precision),
    }


def fit(trainer: Trainer, module: TaskModule, data: Any, *, run_dir: Path, resumed_from: Path | None) -> None:
    """`trainer.fit`; where a process ends that is needed, say which one and how to go on.

    Raises:
        WorkerCrashError: the system ended a loader process; the message names the video that it was reading.
        LostProcessError: another process of this training has ended.
    """
    last = run_dir / "last.ckpt"
    try:
        with (
            signals_given_back(),
            no_tracebacks_of_writers(),
            naming_worker_crashes(lambda: data.datasets, prefix="data."),
        ):
            trainer.fit(module, datamodule=data, ckpt_path=resumed_from, weights_only=True)
    except WorkerCrashError as error:
        if not last.is_file():
            raise
        raise WorkerCrashError(f"{error}; go on with the same command and ckpt_path={last}") from error
    except RuntimeError as error:
        if not is_of_lost_process(error):
            raise
        way = f"go on with the same command and ckpt_path={last}" if last.is_file() else "start the same command again"
        raise LostProcessError(f"another process of this training has ended, see what it printed; {way}") from error


@hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="train")
def main(config: DictConfig) -> None:
    """Hydra's entry: the config's plain values go to `train`; what a user can mend is told in one line."""
    hydra_config = HydraConfig.get()
    try:
        values: Any = OmegaConf.to_container(config, resolve=True)
        values.pop("sweep")  # what `-m` asks for is no part of a run
        train(values, run_dir=Path(hydra_config.runtime.output_dir))
    except TrainingInterruptedError as error:
        sys.exit(_farewell(error, run_dir=Path(hydra_config.runtime.output_dir), is_named=bool(values["run"])))
    except USER_ERRORS as error:
        end_job(error)


def _farewell(error: TrainingInterruptedError, *, run_dir: Path, is_named: bool) -> int:
    """Say how to go on and, where SLURM has warned of the end, have the job queued again; gives the exit status."""
    way = "the same command goes on from there" + ("" if is_named else f", with hydra.run.dir={run_dir}")
    rank_zero_only(print)(f"stopped by {signal.Signals(error.signal_number).name} {error}; {way}", flush=True)
    if error.signal_number == REQUEUE_SIGNAL:
        words = rank_zero_only(requeue_slurm_job, default="")()
        rank_zero_only(print)(words, end="\n" if words else "", flush=True)
    return error.exit_status


if __name__ == "__main__":
    run_with_sweeps(main, module="stvit_video.train", config_name="train", command=COMMAND)
