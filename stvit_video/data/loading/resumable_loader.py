"""A training loader that can begin in the middle of an epoch, where another one stopped."""

from collections.abc import Iterator
from typing import Any

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.multi_scale import MultiScaleSampler
from stvit_video.data.loading.video_loader import VideoLoader

# what the batches of an epoch follow from; "multi_scale" is there with a MultiScaleSampler alone
STATE_KEYS = ("videos_per_batch", "num_batches", "num_videos", "world_size", "multi_scale")


class ResumableLoader(VideoLoader):
    """A loader over a `UnpaddedDistributedSampler` whose state is the number of batches that it has handed over.

    That is all there is to know where an item depends on (seed, epoch, index) and the order on (seed, epoch) alone:
    the videos before that place are passed over in the sampler and never read. Batches that worker processes have
    prepared in advance do not count, so they are made again. A `MultiScaleSampler`, whose order is of whole batches,
    goes with batch_size=None.

    Differs: torchdata's StatefulDataLoader also keeps states of its worker processes and samplers, which ours lack.

    Attributes:
        num_handed_over: batches of the present epoch, those before the resumed place included.
    """

    sampler: UnpaddedDistributedSampler

    num_handed_over = 0
    _num_skipped = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """The batches of an epoch; after `load_state_dict`, once, those from that place on.

        A generator, so that worker processes draw the order when the first batch is asked for, when the epoch is set.
        """
        self.num_handed_over, self._num_skipped = self._num_skipped, 0
        self.sampler.skip(self.num_handed_over * (self.batch_size or 1))
        for batch in super().__iter__():
            self.num_handed_over += 1  # before the batch leaves: the loop asks for the state while it holds it
            yield batch

    def state_dict(self) -> dict[str, int | str]:
        """The place in the epoch, and what the batches follow from."""
        return {"num_handed_over": self.num_handed_over, **self._facts()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next iteration begin at that place; behind the last batch, that is where the next epoch begins.

        Raises:
            ValueError: its batches were others: another batch size, number of videos or of processes, other sizes.
        """
        if state["num_handed_over"] == state["num_batches"]:
            return
        now = self._facts()
        pairs = {key: (state.get(key), now.get(key)) for key in STATE_KEYS}
        changed = [f"{key}={before} then, {after} now" for key, (before, after) in pairs.items() if before != after]
        if changed:
            raise ValueError(
                f"the checkpoint was written in the middle of an epoch, whose batches would now be others "
                f"({', '.join(changed)}); go on with the same data, batch size and number of processes, or, with "
                f"another schedule of steps, from a checkpoint at the end of an epoch"
            )
        self._num_skipped = state["num_handed_over"]

    def _facts(self) -> dict[str, int | str]:
        sampler, videos_per_batch, more = self.sampler, self.batch_size, {}
        if isinstance(sampler, MultiScaleSampler):
            videos_per_batch, more = sampler.multi_scale.videos_per_batch, {"multi_scale": sampler.plan}
        assert videos_per_batch is not None
        return {
            "videos_per_batch": videos_per_batch,
            "num_batches": len(self),
            "num_videos": len(self.dataset),  # type: ignore[arg-type]
            "world_size": sampler.num_replicas,
            **more,
        }
