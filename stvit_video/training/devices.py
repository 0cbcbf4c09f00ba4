"""How many processes a training has, and whether this machine and its launcher can give them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

Value = TypeVar("Value")
Devices = str | int | Sequence[int]  # "auto", a number, or the numbers of GPUs; as Lightning takes them
SHARDED_PRECISIONS = ("auto", "32-true", "bf16-mixed", "bf16-true", "16-true")  # what Lightning takes with FSDP2
INTERACTIVE = ("bash", "interactive")  # SLURM jobs with these names start no tasks


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a process finds where it was started.

    Attributes:
        num_gpus: GPUs that it can see.
        launcher: "torchrun" or "SLURM"; "" = started alone.
        num_processes: that the launcher started, on all machines.
        num_local: of these, on this machine.
        has_address: whether a launcher of another kind has named the first machine and this one's number.
    """

    num_gpus: int
    launcher: str = ""
    num_processes: int = 1
    num_local: int = 1
    has_address: bool = False


def find_surroundings(environ: Mapping[str, str] = os.environ) -> Surroundings:
    """The surroundings of this process, by its environment variables; torchrun counts before SLURM."""
    num_gpus = torch.cuda.device_count()
    if "WORLD_SIZE" in environ and "LOCAL_WORLD_SIZE" in environ:
        counts = int(environ["WORLD_SIZE"]), int(environ["LOCAL_WORLD_SIZE"])
        return Surroundings(num_gpus=num_gpus, launcher="torchrun", num_processes=counts[0], num_local=counts[1])
    if "SLURM_NTASKS" in environ and environ.get("SLURM_JOB_NAME") not in INTERACTIVE:
        num_tasks = int(environ["SLURM_NTASKS"])
        num_local = num_tasks // int(environ.get("SLURM_NNODES", "1"))
        return Surroundings(num_gpus=num_gpus, launcher="SLURM", num_processes=num_tasks, num_local=num_local)
    return Surroundings(num_gpus=num_gpus, has_address={"MASTER_ADDR", "NODE_RANK"} <= set(environ))


def uses_gpus(accelerator: str, surroundings: Surroundings) -> bool:
    """Whether Lightning will train on GPUs."""
    return accelerator in ("gpu", "cuda") or (accelerator == "auto" and surroundings.num_gpus > 0)


def local_devices(accelerator: str, devices: Devices, surroundings: Surroundings) -> int | list[int]:
    """`devices` as a number, or as a list of the numbers of GPUs; "auto" and -1 = as many as there are.

    Under a launcher "auto" is what it started on this machine, on CPUs as well.

    Raises:
        ValueError: it is none of these.
    """
    if devices in ("auto", -1, "-1"):
        if surroundings.launcher:
            return surroundings.num_local
        return max(surroundings.num_gpus, 1) if uses_gpus(accelerator, surroundings) else 1
    if isinstance(devices, str):
        parts = devices.split(",")
        numbers = [int(part) for part in parts if part.strip().isdecimal()]
        if len(numbers) == len(parts):
            return numbers[0] if len(numbers) == 1 and numbers[0] else _distinct(numbers, devices)
    elif isinstance(devices, int) and not isinstance(devices, bool) and devices > 0:
        return devices
    elif isinstance(devices, Sequence) and all(isinstance(number, int) and number >= 0 for number in devices):
        return _distinct([int(number) for number in devices], devices)
    raise ValueError(f"trainer.devices={devices!r} must be auto, a number above 0, or numbers of GPUs such as [0,1]")


def _distinct(numbers: list[int], devices: Devices) -> list[int]:
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"trainer.devices={devices!r} must name each GPU once, and at least one")
    return numbers


def count_processes(accelerator: str, devices: Devices, num_nodes: int, surroundings: Surroundings) -> int:
    """Processes of the whole training.

    Raises:
        ValueError: as `local_devices`.
    """
    local = local_devices(accelerator, devices, surroundings)
    return (local if isinstance(local, int) else len(local)) * num_nodes


def process_faults(
    accelerator: str,
    devices: Devices,
    num_nodes: int,
    surroundings: Surroundings,
    *,
    strategy: str,
    precision: str,
    sync_batchnorm: bool,
) -> list[str]:
    """What is asked for and can't be had, a sentence each: see `device_faults`, and what does not go together.

    Args:
        accelerator: with devices, num_nodes and surroundings: see `device_faults`.
        strategy: "auto", "ddp" ..., see `stvit_video.utils.choices.Strategy`.
        precision: as Lightning names it, or "auto".
        sync_batchnorm: whether batch norm takes the batches of all processes together.
    """
    faults = device_faults(accelerator, devices, num_nodes, surroundings)
    if faults:
        return faults
    if strategy == "fsdp" and precision not in SHARDED_PRECISIONS:
        faults.append(
            f"trainer.strategy=fsdp does not work with trainer.precision={precision}; use one of "
            f"{', '.join(SHARDED_PRECISIONS)}"
        )
    several = count_processes(accelerator, devices, num_nodes, surroundings) > 1
    if sync_batchnorm and several and not uses_gpus(accelerator, surroundings):
        faults.append("trainer.sync_batchnorm=true works on GPUs only, torch has it for no other device; use false")
    return faults


def device_faults(accelerator: str, devices: Devices, num_nodes: int, surroundings: Surroundings) -> list[str]:
    """What is asked for and not there, a sentence each.

    Args:
        accelerator: "auto", "cpu", "gpu", "cuda" or "mps".
        devices: processes on this machine, or numbers of its GPUs.
        num_nodes: machines.
        surroundings: of this process.
    """
    try:
        local = local_devices(accelerator, devices, surroundings)
    except ValueError as error:
        return [str(error)]
    faults = []
    if uses_gpus(accelerator, surroundings):
        faults += _gpu_faults(accelerator, devices, local, surroundings.num_gpus)
    elif isinstance(local, list):
        faults.append(f"trainer.devices={devices!r} names GPUs, and there is none here; give a number of processes")
    number = local if isinstance(local, int) else len(local)
    return faults + _launcher_faults(devices, number, num_nodes, surroundings)


def _gpu_faults(accelerator: str, devices: Devices, local: int | list[int], num_gpus: int) -> list[str]:
    if not num_gpus:
        return [f"trainer.accelerator={accelerator} needs a GPU, and torch finds none here; use trainer=cpu"]
    if isinstance(local, int) and local > num_gpus:
        return [f"trainer.devices={devices} asks for {local} GPUs, {num_gpus} are here; use trainer.devices={num_gpus}"]
    if isinstance(local, list) and max(local) >= num_gpus:
        return [f"trainer.devices={devices!r} names GPU {max(local)}, the last one here is {num_gpus - 1}"]
    return []


def _launcher_faults(devices: Devices, local: int, num_nodes: int, surroundings: Surroundings) -> list[str]:
    """Where launcher and settings speak of different numbers."""
    launcher, started = surroundings.launcher, surroundings.num_local
    if not launcher:
        if num_nodes == 1 or surroundings.has_address:
            return []
        return [
            f"trainer.num_nodes={num_nodes} needs a launcher that starts a process on every machine; use torchrun "
            f"--nnodes {num_nodes} or srun, or trainer.num_nodes=1"
        ]
    way = "torchrun --nproc_per_node" if launcher == "torchrun" else "srun --ntasks-per-node"
    if local != started:
        return [
            f"trainer.devices={devices} asks for {local} processes on a machine, {launcher} started {started}; use "
            f"trainer.devices=auto, or {way} {local}"
        ]
    if started * num_nodes != surroundings.num_processes:
        needed = surroundings.num_processes // started
        return [
            f"trainer.num_nodes={num_nodes} does not fit the {surroundings.num_processes} processes that {launcher} "
            f"started, {started} on a machine; use trainer.num_nodes={needed}"
        ]
    return []


class LostProcessError(RuntimeError):
    """Another process of this training has ended."""


def gather_objects(own: Value) -> list[Value]:
    """What every process of the training calls this with, by rank; a training by one process gets its own alone."""
    if not distributed.is_available() or not distributed.is_initialized():
        return [own]
    parts = [own] * distributed.get_world_size()
    distributed.all_gather_object(parts, own)
    return parts
