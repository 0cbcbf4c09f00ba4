"""How a job of a sweep is started: its command, its processes, and the GPUs that it may see."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stvit_video.sweeps.expand import Overrides, quoted
from stvit_video.sweeps.jobs import SweepError
from stvit_video.sweeps.runner import JobLaunch
from stvit_video.training.devices import Surroundings, local_devices, uses_gpus

PROGRESS_BAR = "trainer.enable_progress_bar"
VISIBLE = "CUDA_VISIBLE_DEVICES"
THREADS = "OMP_NUM_THREADS"


def job_launch(
    overrides: Overrides,
    *,
    module: str,
    settings: Mapping[str, Any],
    run_dir: Path,
    place: int,
    num_parallel: int,
    gpus: Sequence[str],
    flags: Sequence[str] = (),
) -> JobLaunch:
    """The command and the environment of a job.

    Args:
        overrides: of the job.
        module: that is run, "stvit_video.train".
        settings: the job's composed configuration; of it the groups trainer and device count.
        run_dir: the job's folder.
        place: from 0, of num_parallel places; each has its share of the GPUs.
        gpus: the GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them.
        flags: of Hydra, before the overrides.

    Raises:
        SweepError: devices that can't be shared out, or a training on several machines.
    """
    trainer = settings.get("trainer")
    accelerator = trainer["accelerator"] if trainer else settings.get("device", "auto")
    share = share_of_gpus(gpus, place=place, num_parallel=num_parallel) if _wants(accelerator, gpus) else None
    seen = Surroundings(num_gpus=len(gpus if share is None else share))
    processes = count_job_processes(trainer, seen, alone=num_parallel == 1) if trainer else 1
    program = [sys.executable, "-m"]
    if processes > 1:
        program += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    own = own_overrides(overrides, run_dir=run_dir, trains=trainer is not None)
    environment = {} if share is None or num_parallel == 1 else {VISIBLE: ",".join(share)}
    if share is None and num_parallel > 1 and THREADS not in os.environ:
        environment[THREADS] = str(max(1, (os.cpu_count() or 1) // (num_parallel * processes)))
    return JobLaunch([*program, module, *flags, *overrides, *own], environment)


def own_overrides(overrides: Overrides, *, run_dir: Path, trains: bool) -> list[str]:
    """What every job is told beside its overrides: its folder, in which a training goes on by itself."""
    own = [f"hydra.run.dir={quoted(str(run_dir))}"]
    if trains and not any(text.lstrip("+").startswith(f"{PROGRESS_BAR}=") for text in overrides):
        own.append(f"{PROGRESS_BAR}=false")  # it would fill the file of the output
    return own


def count_job_processes(trainer: Mapping[str, Any], seen: Surroundings, *, alone: bool) -> int:
    """Processes of a training on this machine, by its `trainer` settings.

    Args:
        trainer: the settings.
        seen: the GPUs that the job may see.
        alone: False = other jobs run beside it, on other GPUs.

    Raises:
        SweepError: several machines, or GPUs by number beside other jobs.
        ValueError: devices that are none.
    """
    if trainer["num_nodes"] != 1:
        raise SweepError(
            f"trainer.num_nodes={trainer['num_nodes']} is not possible in a sweep on this machine; use "
            "hydra/launcher=submitit_slurm, or start the trainings one by one with torchrun"
        )
    devices = local_devices(trainer["accelerator"], trainer["devices"], seen)
    if isinstance(devices, list):
        if not alone:
            raise SweepError(
                f"trainer.devices={trainer['devices']} names GPUs, and sweep.num_parallel shares them out among the "
                "jobs; give a number of devices, or auto"
            )
        return len(devices)
    return devices


def share_of_gpus(gpus: Sequence[str], *, place: int, num_parallel: int) -> list[str]:
    """The GPUs of one of several jobs at once; all have equally many, and none has another's.

    Raises:
        SweepError: there are fewer GPUs than jobs at once.
    """
    size = len(gpus) // num_parallel
    if size == 0:
        raise SweepError(
            f"sweep.num_parallel={num_parallel} jobs can't have a GPU each of {len(gpus)}; use sweep.num_parallel="
            f"{max(1, len(gpus))}"
        )
    return list(gpus[place * size : (place + 1) * size])


def visible_gpus(num_gpus: int, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them.

    Args:
        num_gpus: how many torch finds.
        environ: the environment variables.
    """
    named = [name.strip() for name in environ.get(VISIBLE, "").split(",") if name.strip()]
    return named[:num_gpus] if named else [str(number) for number in range(num_gpus)]


def _wants(accelerator: str, gpus: Sequence[str]) -> bool:
    return accelerator.startswith("cuda") or uses_gpus(accelerator, Surroundings(num_gpus=len(gpus)))
