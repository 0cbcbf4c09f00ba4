"""What uses private names or the wording of other libraries; beside it only `compat_loaders` does.

A new version may move a private name or change a message without notice, and this file alone is then to be mended:
tests/utils/test_compat.py tries every function on the real library. A private name that is gone raises
LibraryPartError, or is done without where that does no harm; a changed wording is not recognised. Each function says
which. Libraries are imported in the functions, because rooms without torch use this room.
"""

import logging
import re
import sys
import threading
import warnings
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from stvit_video.utils.error_chain import error_chain
from stvit_video.utils.quiet_loggers import quiet_loggers

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import WeightAveraging
    from torch import Tensor
    from torch.optim.lr_scheduler import LRScheduler

SEEN_WITH = {
    "fvcore": "0.1.5.post20221221",
    "hydra-core": "1.3.8",
    "lightning": "2.6.6",
    "tensorboard": "2.21.0",
    "torch": "2.14.1",
    "torchmetrics": "1.9.0",
}
_WORKER_PIDS = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")
_WORKER_SIGNAL = re.compile(r"killed by signal: ([^.]+)\.")
_PEER_GONE = ("Connection closed by peer", "Connection reset by peer", "remote process exited")
_SEARCH_PATH = "\nConfig search path"
_WARNINGS: dict[str, tuple[str, type[Warning]]] = {
    "checkpoint folder": (r"Checkpoint directory .* exists and is not empty", Warning),
    "LeafSpec": (r".*isinstance\(treespec, LeafSpec\)", Warning),
    "configure_model": (r".*overrides the configure_model callback", Warning),
    "logging interval": (r"The number of training batches .* is smaller than the logging interval", Warning),
    "torch.jit": (r".*torch\.jit", FutureWarning),
}


class LibraryPartError(RuntimeError):
    """The installed version of a library lacks a private part that this package uses."""


class LostWorkers(NamedTuple):
    """Processes of a data loader that have ended.

    Attributes:
        pids: their process ids.
        signal: that ended one of them, in the system's words such as "Killed"; "" = not known.
    """

    pids: tuple[int, ...]
    signal: str


class LoggedMetric(NamedTuple):
    """A metric that `self.log` has been given.

    Attributes:
        metric: torchmetrics' Metric that holds the sums.
        is_summed: it is logged for the epoch, and a batch of this epoch has added to it.
    """

    metric: Any
    is_summed: bool


# --- Hydra ---


def parse_hydra_arguments(arguments: Sequence[str]) -> Namespace:
    """A command line as Hydra's own parser splits it: `overrides`, `multirun`, `cfg` and the other flags.

    Touches: `hydra._internal.utils.get_args_parser`. Gone: LibraryPartError.

    Raises:
        ValueError: a switch that Hydra does not know, or that lacks its value.
        LibraryPartError: Hydra has no such parser.
    """
    try:
        from hydra._internal.utils import get_args_parser
    except ImportError as error:
        raise _missing("hydra-core", "hydra._internal.utils.get_args_parser") from error
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise ValueError(f"{message}; settings are key=value, and --help lists them")

    vars(parser)["error"] = refuse  # which else prints the usage and ends the process
    return parser.parse_intermixed_args(list(arguments))


def without_search_path(text: str) -> str:
    """The text of one of Hydra's errors without the list of folders that it has looked in.

    Touches: the line that begins this list. Gone: the text comes back whole.
    """
    return text.partition(_SEARCH_PATH)[0]


# --- torch ---


def find_lost_workers(error: BaseException) -> LostWorkers | None:
    """What torch says of loader processes that have ended; None = the error is about something else.

    Touches: the messages of `DataLoader`, those of the error and of what caused it (these know the signal). Gone: None,
    so torch's own error is shown.
    """
    pids: tuple[int, ...] = ()
    signal = ""
    for link in error_chain(error):
        found, named = _WORKER_PIDS.search(str(link)), _WORKER_SIGNAL.search(str(link))
        if found and not pids:
            pids = tuple(int(pid) for pid in found.group(1).split(","))
        if found and named:
            signal = named.group(1)
    return LostWorkers(pids, signal) if pids else None


def end_progress_bars() -> None:
    """Close the bars that stand on the terminal, so that what is printed next has a line of its own.

    Touches: `_instances` of tqdm and of its subclasses, as Lightning's. Gone: an error stands behind the bar.
    """
    kinds = [getattr(sys.modules.get("tqdm"), "tqdm", None)]  # who has not imported it has no bar
    while kinds:
        kind = kinds.pop()
        kinds += [] if kind is None else kind.__subclasses__()
        for bar in list(vars(kind).get("_instances", ()) if kind else ()):
            with suppress(OSError, ValueError):  # nowhere to write to
                bar.close()


def is_of_full_shared_memory(error: BaseException) -> bool:
    """Whether a loader process found no room in the shared memory for a batch.

    Touches: torch's message and the names of its shared files. Gone: False, so torch's own error is shown.
    """
    text = str(error)
    return ("shared memory(shm)" in text or "</torch_" in text) and "Too many open files" not in text


def is_of_lost_process(error: BaseException) -> bool:
    """Whether an error of gloo or NCCL says that another process of the training is no longer there.

    Touches: their messages. Gone: False, so their own error is shown.
    """
    return any(words in str(error) for words in _PEER_GONE)


def move_averages(averages: "list[Tensor]", weights: "list[Tensor]", *, share: float) -> None:
    """`average += share * (weight - average)` for tensors of one type and device, in place.

    Touches: `torch._foreach_lerp_`, one kernel for all tensors. Gone: a loop.
    """
    import torch

    if hasattr(torch, "_foreach_lerp_"):
        torch._foreach_lerp_(averages, weights, share)
        return
    for average, weight in zip(averages, weights, strict=True):
        average.lerp_(weight, share)


def copy_all(targets: "list[Tensor]", sources: "list[Tensor]") -> None:
    """Copy tensors of one type and device, in place.

    Touches: `torch._foreach_copy_`, one kernel for all tensors. Gone: a loop.
    """
    import torch

    if hasattr(torch, "_foreach_copy_"):
        torch._foreach_copy_(targets, sources)
        return
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)


def mark_static(tensor: "Tensor", axis: int) -> None:
    """Let `torch.compile` take the size of an axis for a constant; called while it traces.

    Touches: `torch._dynamo.mark_static`. Gone: an AttributeError while a model is compiled.
    """
    import torch

    torch._dynamo.mark_static(tensor, axis)


def set_last_rates(scheduler: "LRScheduler", rates: Sequence[float]) -> None:
    """Let `scheduler.get_last_lr()` give these learning rates.

    Touches: `LRScheduler._last_lr`. Gone: LibraryPartError.

    Raises:
        LibraryPartError: the scheduler keeps its rates elsewhere.
    """
    if not hasattr(scheduler, "_last_lr"):
        raise _missing("torch", "LRScheduler._last_lr")
    scheduler._last_lr = list(rates)


def forget_result(metric: Any) -> None:
    """Let a metric compute its value anew, after its states were changed from outside.

    Touches: `torchmetrics.Metric._computed`. Gone: LibraryPartError.

    Raises:
        LibraryPartError: the metric keeps its value elsewhere.
    """
    if not hasattr(metric, "_computed"):
        raise _missing("torchmetrics", "Metric._computed")
    metric._computed = None


# --- Lightning ---


def logged_metrics(trainer: "Trainer") -> dict[str, LoggedMetric]:
    """What the training loop keeps of the values given to `self.log`, by Lightning's names for them.

    Touches: `fit_loop.epoch_loop._results` and its entries; there is no public way. Gone: LibraryPartError.

    Raises:
        LibraryPartError: the loop keeps them elsewhere.
    """
    try:
        results = trainer.fit_loop.epoch_loop._results
        return {
            key: LoggedMetric(
                result if result.is_tensor else result.value, bool(result.meta.on_epoch and not result.has_reset)
            )
            for key, result in results.items()
        }
    except AttributeError as error:
        raise _missing("lightning", "fit_loop.epoch_loop._results") from error


def is_between_epochs(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is of the end of an epoch, and not of its middle.

    Touches: the layout of Lightning's checkpoints. Gone: KeyError or TypeError, as with a file that is none of them.
    """
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]
    return bool(epochs["processed"] == epochs["started"])


def epochs_and_batches(checkpoint: Mapping[str, Any]) -> tuple[int, int]:
    """How many whole epochs a checkpoint has seen, and how many batches of the next one.

    Touches: the layout of Lightning's checkpoints. Gone: KeyError or TypeError, as with a file that is none of them.
    """
    loop = checkpoint["loops"]["fit_loop"]
    num_epochs = loop["epoch_progress"]["current"]["processed"]
    if is_between_epochs(checkpoint):
        return num_epochs, 0
    return num_epochs, loop["epoch_loop.batch_progress"]["current"]["processed"]


def has_trainer(module: "LightningModule") -> bool:
    """Whether a module belongs to a Trainer; `module.trainer` itself raises an error where it does not.

    Touches: `LightningModule._trainer`. Gone: LibraryPartError.

    Raises:
        LibraryPartError: the module keeps its trainer elsewhere.
    """
    if not hasattr(module, "_trainer"):
        raise _missing("lightning", "LightningModule._trainer")
    return module._trainer is not None


def has_average(callback: "WeightAveraging") -> bool:
    """Whether Lightning's weight averaging has made its average.

    Touches: `WeightAveraging._average_model`. Gone: LibraryPartError.

    Raises:
        LibraryPartError: the callback keeps its average elsewhere.
    """
    if not hasattr(callback, "_average_model"):
        raise _missing("lightning", "WeightAveraging._average_model")
    return callback._average_model is not None


# --- several ---


@contextmanager
def without_warning(name: str) -> Iterator[None]:
    """Within, one warning of a library is not shown.

    Args:
        name: "checkpoint folder" (Lightning: that it is not empty), "LeafSpec" (torch: that it is deprecated, which
            Lightning still uses), "configure_model" (Lightning: that averaging does not shard), "logging interval"
            (Lightning: that an epoch has fewer steps, where our log has a row an epoch anyway) or "torch.jit" (torch:
            that it is deprecated, which fvcore still uses).

    Touches: the wording of these warnings. Gone: they are shown.
    """
    with warnings.catch_warnings():
        message, category = _WARNINGS[name]
        warnings.filterwarnings("ignore", message=message, category=category)
        yield


@contextmanager
def without_advertisements() -> Iterator[None]:
    """Within, Lightning's log shows warnings and errors and none of its notes, which tell of TPUs and of its products.

    Touches: the names of its loggers. Gone: the notes are shown.
    """
    quiet = quiet_loggers("lightning.pytorch", "lightning.fabric", level=logging.WARNING)
    with without_warning("LeafSpec"), without_warning("logging interval"), quiet:
        yield


def is_tensorboard_writer(thread: threading.Thread | None) -> bool:
    """Whether a thread is one in which TensorBoard writes its file.

    Touches: the module of its private class. Gone: False, so that a thread that can't write prints a traceback.
    """
    return type(thread).__module__.startswith("tensorboard.")


def _missing(library: str, part: str) -> LibraryPartError:
    try:
        here = version(library)
    except PackageNotFoundError:
        here = "of an unknown version"
    return LibraryPartError(
        f"{library} {here} has no {part}; install {library}=={SEEN_WITH[library]}, or mend stvit_video/utils/compat.py"
    )
