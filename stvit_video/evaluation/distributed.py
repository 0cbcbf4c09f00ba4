"""Evaluation by several processes: each evaluates its share of the videos, process 0 gets the whole.

The shares travel as files in a folder that all processes see, so that large results need no collective and a process
that fails can still say why. Collectives run only at the start, when all processes are known to be there.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist

from stvit_video.evaluation.multiview import MultiViewResult, in_manifest_order, join_results
from stvit_video.utils.atomic_files import atomically

POLL_SECONDS = 0.05


class ProcessFailedError(RuntimeError):
    """The processes of one evaluation did not come together; the message says which one failed, and why."""


@contextmanager
def process_group(*, timeout_seconds: float = 600.0) -> Iterator[tuple[int, int]]:
    """Join the processes that torchrun started, for the time of the block; alone where there are none.

    Args:
        timeout_seconds: how long to wait for the other processes to start.

    Yields:
        (rank, world_size), (0, 1) when this process is alone.

    Raises:
        ProcessFailedError: the others did not come.
    """
    if dist.is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield rank_and_world_size()
        return
    try:
        dist.init_process_group("gloo", timeout=timedelta(seconds=timeout_seconds))
    except (RuntimeError, ValueError) as error:
        raise ProcessFailedError(f"the processes could not find one another ({_first_line(error)})") from error
    try:
        yield rank_and_world_size()
    finally:
        dist.destroy_process_group()


def rank_and_world_size() -> tuple[int, int]:
    """Number of this process and count of processes; (0, 1) where torch.distributed is not in use."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def evaluate_distributed(
    evaluate: Callable[[], MultiViewResult], *, folder: Path, timeout_seconds: float = 1800.0
) -> MultiViewResult | None:
    """Run `evaluate` on every process and bring the results together on process 0.

    Every process must call this. With one process the result is that of `evaluate`, in the manifest's order.

    Args:
        evaluate: evaluates this process's share; a process without videos gives an empty result, see
            `evaluate_views(allow_empty=True)`.
        folder: as of `gather_shares`.
        timeout_seconds: as of `gather_shares`.

    Returns:
        On process 0 the result of all videos in the manifest's order, each once; None on the others.

    Raises:
        ProcessFailedError: see `gather_shares`.
        ValueError: a video came twice, see `join_results`.
    """
    if rank_and_world_size()[1] == 1:
        return in_manifest_order(evaluate())

    def share() -> dict[str, Any]:
        result = evaluate()
        return {field.name: getattr(result, field.name) for field in fields(result)}

    shares = gather_shares(share, folder=folder, timeout_seconds=timeout_seconds)
    return None if shares is None else in_manifest_order(join_results([MultiViewResult(**share) for share in shares]))


def gather_shares(
    evaluate: Callable[[], dict[str, Any]], *, folder: Path, timeout_seconds: float = 1800.0
) -> list[dict[str, Any]] | None:
    """Run `evaluate` on every process and bring what it returns together on process 0.

    Every process must call this.

    Args:
        evaluate: evaluates this process's share; its values are tensors, numbers, texts, lists and dictionaries.
        folder: where the shares are kept for a while; that of process 0 is used by all, and must be one that
            every machine sees.
        timeout_seconds: how long process 0, having finished, waits for the others.

    Returns:
        On process 0 the shares by the number of their process; None on the others.

    Raises:
        ProcessFailedError: another process failed or gave no sign in time, or does not see the folder.
    """
    rank, world_size = rank_and_world_size()
    if world_size == 1:
        return [evaluate()]
    shares = _common_folder(folder, rank)
    try:
        _keep_share(evaluate, shares, rank)
        return _wait_for_shares(shares, world_size, timeout_seconds) if rank == 0 else None
    finally:
        if rank == 0:
            shutil.rmtree(shares, ignore_errors=True)


def _common_folder(folder: Path, rank: int) -> Path:
    """A new folder for the shares, made by process 0 and seen by all."""
    made: list[Any] = [None]
    if rank == 0:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made = [(tempfile.mkdtemp(prefix=".shares-", dir=folder), "")]
        except OSError as error:
            made = [("", f"the folder {folder} can't be written ({error.strerror}); give another one")]
    seen: list[Any] = [None] * dist.get_world_size()
    # objects travel through main memory; NCCL would need a GPU for them
    group = None if dist.get_backend() == "gloo" else cast(dist.ProcessGroup, dist.new_group(backend="gloo"))
    try:
        dist.broadcast_object_list(made, src=0, group=group)
        path, problem = made[0]
        dist.all_gather_object(seen, bool(path) and Path(path).is_dir(), group=group)
    except RuntimeError as error:
        if rank == 0:
            shutil.rmtree(made[0][0], ignore_errors=True)
        raise ProcessFailedError(
            "the processes could not agree on a folder: one of them has failed, see its output"
        ) from error
    if problem:
        raise ProcessFailedError(problem)
    if not all(seen):
        if rank == 0:
            shutil.rmtree(path)
        raise ProcessFailedError(
            f"process {seen.index(False)} does not see the folder {path} of process 0; "
            "give an output folder that all machines share"
        )
    return Path(path)


def _keep_share(evaluate: Callable[[], dict[str, Any]], shares: Path, rank: int) -> None:
    """Evaluate and write the share, or why there is none."""
    try:
        values = evaluate()
        _write_whole(shares / f"{rank}.pt", lambda path: torch.save(values, path))
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"
        with suppress(
            OSError, ProcessFailedError
        ):  # the reason can't be told where even this fails; process 0 then stops waiting
            _write_whole(shares / f"{rank}.error", lambda path: path.write_text(reason, encoding="utf-8"))
        raise


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name first, so that whoever sees the file sees all of it.

    Raises:
        ProcessFailedError: the folder is gone.
    """
    if not path.parent.is_dir():
        raise ProcessFailedError(
            f"the folder {path.parent} of the shares is gone: process 0 has failed or given up, see its output"
        )
    with atomically(path) as part:
        write(part)


def _wait_for_shares(shares: Path, world_size: int, timeout_seconds: float) -> list[dict[str, Any]]:
    """Every process's share, as soon as the last one is there; one that failed ends the wait at once."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        late = [rank for rank in range(world_size) if not (shares / f"{rank}.pt").exists()]
        for rank in late:
            if (shares / f"{rank}.error").exists():
                reason = (shares / f"{rank}.error").read_text(encoding="utf-8")
                raise ProcessFailedError(f"process {rank} of {world_size} failed: {reason}")
        if not late:
            return [torch.load(shares / f"{rank}.pt", weights_only=True) for rank in range(world_size)]
        if time.monotonic() > deadline:
            raise ProcessFailedError(
                f"process {', '.join(map(str, late))} of {world_size} gave no result within {timeout_seconds:g} s of "
                "process 0; it may have been killed (see its output), or be slower: evaluate in one process"
            )
        time.sleep(POLL_SECONDS)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
