"""What the data modules of all tasks share: the place in the epoch, samplers, loader processes."""

from typing import Any, TypeVar

import lightning
import torch
from torch.utils.data import Dataset

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.video_loader import Collate, VideoLoader

__all__ = ["ResumableDataModule"]

Loader = TypeVar("Loader", bound=VideoLoader)


class ResumableDataModule(lightning.LightningDataModule):
    """A data module whose checkpoint holds the place in the training epoch.

    Args:
        num_workers: processes that load for each loader; 0 = load in the main process.
        seed: of the order; 0 or more.
    """

    def __init__(self, *, num_workers: int, seed: int) -> None:
        super().__init__()
        self.num_workers = num_workers
        self.seed = seed
        self._train_loader: ResumableLoader | None = None
        self._resumed_state: dict[str, int] | None = None

    def state_dict(self) -> dict[str, Any]:
        """The place in the training epoch, for a checkpoint."""
        return {} if self._train_loader is None else {"train_loader": self._train_loader.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next training loader begin at that place.

        Differs: Lightning gives a loader its state only after it has taken the first iterator from it.
        """
        self._resumed_state = state_dict["train_loader"]

    def resumed(self, loader: ResumableLoader) -> ResumableLoader:
        """The training loader, which begins where the one of the checkpoint stopped; its place is kept from now on."""
        self._train_loader = loader
        if self._resumed_state is not None:
            loader.load_state_dict(self._resumed_state)
            self._resumed_state = None
        return loader

    def rank_and_world_size(self) -> tuple[int, int]:
        """The number of this process, and how many there are."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def sampler(self, dataset: Dataset[Any], *, shuffle: bool) -> UnpaddedDistributedSampler:
        """What this process takes."""
        rank, world_size = self.rank_and_world_size()
        return UnpaddedDistributedSampler(dataset, shuffle=shuffle, seed=self.seed, rank=rank, world_size=world_size)

    def loader(
        self,
        dataset: Dataset[Any],
        kind: type[Loader],
        *,
        sampler: UnpaddedDistributedSampler,
        batch_size: int | None,
        collate: Collate,
        drop_last: bool = False,
        context: str | None = None,
    ) -> Loader:
        """A loader.

        Args:
            dataset: gives the items.
            kind: of the loader.
            sampler: the order.
            batch_size: items of a batch; None = the sampler gives whole batches.
            collate: items -> batch.
            drop_last: leave out a last, smaller batch.
            context: how processes are started; None = as usual on this system.
        """
        return kind(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=collate,
            pin_memory=torch.cuda.is_available(),
            drop_last=drop_last,
            multiprocessing_context=context,
            persistent_workers=self.num_workers > 0,
            prefix="data.",
        )

    def require_for_each_process(self, num_validated: int, kind: str) -> None:
        """Refuse a validation list with fewer files than processes.

        Raises:
            ValueError: it has.
        """
        _, world_size = self.rank_and_world_size()
        if num_validated < world_size:  # a process without a batch would leave the others waiting
            raise ValueError(
                f"{num_validated} validation {kind}(s) are too few for {world_size} processes, each needs one; add "
                f"{kind}s, or use trainer.devices={num_validated} or less"
            )
