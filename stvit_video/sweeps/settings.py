"""Read the `sweep` group of the configuration, and refuse what a command line with `-m` can't ask for."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stvit_video.settings.reading import read_settings
from stvit_video.settings.sweep_settings import SweepSettings
from stvit_video.sweeps.jobs import SweepError

NOT_IN_SWEEPS = {
    "hydra.run.dir": "each job has a folder of its own; use sweep.name, or hydra.sweep.dir for the folder of all",
    "hydra.sweep.subdir": "the folders of the jobs are named by their numbers; leave it out",
    "hydra.sweeper.max_batch_size": "sweep.num_parallel says how many jobs run at once",
    "run": "it is the name of one training; use sweep.name",
}


def read_sweep(values: Mapping[str, Any]) -> SweepSettings:
    """The `sweep` settings, from plain values.

    Raises:
        SweepError: lists every wrong or unknown one, a sentence each.
    """
    read = read_settings(SweepSettings, values)
    faults = [f"sweep.{name} is unknown; a sweep has {', '.join(SweepSettings.model_fields)}" for name in read.unknown]
    faults += [f"sweep.{sentence}" for name, sentence in read.wrong.items() if name != "also"]
    if "also" in read.wrong:
        faults.append(f"sweep.also={values['also']!r} must be overrides in a text, or a list of such texts")
    if faults:
        raise SweepError("; ".join(faults))
    return read.settings


def refuse_settings(overrides: Sequence[str], words: str) -> None:
    """Raise where one of the overrides is a setting of our sweeps, which would have no effect.

    Args:
        overrides: of the command line.
        words: why it would have none, after the override.

    Raises:
        SweepError: there is one.
    """
    own = [text for text in overrides if text.lstrip("+").startswith("sweep.")]
    if own:
        raise SweepError(f"{own[0]} {words}")


def check_flags(flags: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Raise where the command line, or whoever started this process, asks for what a sweep can't be.

    Args:
        flags: Hydra's, as its parser gives them.
        environ: the environment variables.

    Raises:
        SweepError: a folder of configurations, or several processes.
    """
    if flags.config_dir or flags.config_path:
        raise SweepError(
            "-m takes no --config-dir and no --config-path; give hydra.searchpath=[file:///path/to/conf] instead"
        )
    number = max(int(environ.get(name, "1")) for name in ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"))
    if number > 1:
        raise SweepError(
            f"-m was started as {number} processes, and each would run the whole sweep; start it as one, with python: "
            "it starts torchrun itself for jobs with trainer.devices above 1"
        )


def check_axes(axes: Iterable[str], *, module: str) -> None:
    """Raise where an override would put all jobs into one folder, or have no effect.

    Args:
        axes: keys of the overrides.
        module: that is run for every job.

    Raises:
        SweepError: one does.
    """
    refused = {**NOT_IN_SWEEPS}
    if module.endswith(".train"):
        refused["ckpt_path"] = "each job goes on from its own checkpoint by itself; use init_from for a common start"
    for key in axes:
        if key.lstrip("+~") in refused:
            raise SweepError(f"{key} has no place in a sweep: {refused[key.lstrip('+~')]}")
