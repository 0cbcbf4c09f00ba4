"""The loader that every part of the package uses: nothing that befalls its processes makes it wait for ever.

torch's own loader hands a batch to a queue, whose thread makes it ready to travel. What fails there, such as a batch
for which the shared memory has no room, is printed by the process and never told to the one that waits. Here the
process makes the batch ready while it can still answer by an error.
"""

import errno
import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.reduction import ForkingPickler
from typing import Any

from torch.utils.data import DataLoader, Dataset, Sampler, default_collate, default_convert, get_worker_info

from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.worker_crashes import Watched, full_memory_sentence, naming_worker_crashes
from stvit_video.data.loading.worker_init import init_worker
from stvit_video.utils.child_processes import end_processes, register_owner
from stvit_video.utils.compat_loaders import forget_processes, half_made_iterator, lost_process_error

Collate = Callable[[Any], Any]


class VideoLoader(DataLoader[Any]):
    """A DataLoader whose errors are sentences and whose processes end at once when it fails or Ctrl-C is pressed.

    Args:
        dataset: gives the items; where it is `Watched`, or wraps one as `clips`, a lost process is told with its video.
        batch_size: items of a batch; None = the sampler gives whole batches.
        sampler: the order; None = that of the data set.
        num_workers: processes that load; 0 = load in this one.
        collate_fn: items -> batch; None = torch's.
        drop_last: leave out a last, smaller batch.
        pin_memory: put batches into memory from which a GPU copies quickly.
        multiprocessing_context: how processes are started; None = as usual on this system.
        persistent_workers: they live on from epoch to epoch.
        prefix: of the settings that the advice of an error names: "data." = data.num_workers.

    Attributes:
        is_waiting: it is asked for a batch and has not given it yet.

    Iterating raises:
        WorkerCrashError: a process was ended from outside, or there is no room for what it reads.
        OpenFilesError: too many files are open.
    """

    is_waiting = False
    _batches: Iterator[Any] | None = None

    def __init__(
        self,
        dataset: Dataset[Any],
        *,
        batch_size: int | None,
        num_workers: int,
        sampler: Sampler[Any] | None = None,
        collate_fn: Collate | None = None,
        drop_last: bool = False,
        pin_memory: bool = False,
        multiprocessing_context: str | None = None,
        persistent_workers: bool = False,
        prefix: str = "",
    ) -> None:
        with _without_advice():
            super().__init__(
                dataset,
                batch_size=batch_size,
                sampler=sampler,
                num_workers=num_workers,
                collate_fn=ReadyToTravel(collate_fn or (default_convert if batch_size is None else default_collate)),
                pin_memory=pin_memory,
                drop_last=drop_last,
                worker_init_fn=init_worker,
                multiprocessing_context=multiprocessing_context,
                persistent_workers=persistent_workers,
            )
        self.prefix = prefix
        register_owner(self)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """The batches; a generator, so processes start when the first batch is asked for."""
        batches: Iterator[Any] | None = None
        try:
            while True:
                self.is_waiting = True
                with naming_worker_crashes(self._watched, prefix=self.prefix):
                    if batches is None:
                        self._batches = batches = self._started()
                    batch = self._next(batches)
                self.is_waiting = False
                if batch is None:
                    return
                yield batch
        except (Exception, KeyboardInterrupt):  # no batch follows, and torch would wait 5 s for each process
            self.end()
            raise
        finally:
            self.is_waiting = False
            self._batches = None

    def end(self) -> None:
        """End the processes at once; the next iteration starts others."""
        end_processes(forget_processes(self, self._batches))

    def _next(self, batches: Iterator[Any]) -> Any:
        """The next batch, None = there is no more."""
        try:
            return next(batches, None)
        except (ConnectionError, EOFError, FileNotFoundError) as error:
            lost = lost_process_error(batches)  # it sent a batch and died before its tensors were taken over
            raise (lost or error) from error

    def _started(self) -> Iterator[Any]:
        try:
            for dataset in self._watched() if self.num_workers else ():
                dataset.share_memory()
            with _without_advice():
                return super().__iter__()
        except Exception as error:
            end_processes(forget_processes(self, half_made_iterator(error)))
            if not isinstance(error, OSError) or error.errno != errno.ENOSPC:
                raise
            raise WorkerCrashError(full_memory_sentence("a semaphore", prefix=self.prefix)) from error

    def _watched(self) -> list[Watched]:
        """The data set that notes what its processes read, if there is one."""
        candidates: tuple[Any, ...] = (self.dataset, getattr(self.dataset, "clips", None))
        return [dataset for dataset in candidates if hasattr(dataset, "reading_now")]


@contextmanager
def _without_advice() -> Iterator[None]:
    """torch warns where there are more processes than cores; some wait for the disk, and the number was asked for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create .* worker processes")
        yield


class ReadyToTravel:
    """A collate function whose batches, in a loader's process, are already what the queue will send.

    Args:
        collate: items -> batch.
    """

    def __init__(self, collate: Collate) -> None:
        self.collate = collate

    def __call__(self, items: Any) -> Any:
        """The batch; in a loader's process in the form that becomes the batch when it is received."""
        batch = self.collate(items)
        return batch if get_worker_info() is None else _Sent(bytes(ForkingPickler.dumps(batch)))


class _Sent:
    """Becomes, when it is unpickled, what its bytes are of; once, as tensors travel by open files."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.content,)
