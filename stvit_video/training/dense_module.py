"""What the LightningModules of detection and segmentation share: losses that are summed, results that are scored."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from stvit_video.tokens.key_frames import KeyFrames, clip_tokens
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.training.devices import gather_objects
from stvit_video.training.sharding import gather_weights, spread_weights
from stvit_video.training.task_module import TaskModule, TrainingStoppedError

__all__ = ["DenseModule", "Results", "readable_places", "shared_by_clips", "shared_by_frames"]

NUM_SHOWN = 3  # reasons in a message


class Results(Protocol):
    """What was found in pictures, gathered from several processes."""

    @property
    def errors(self) -> Mapping[Any, str]:
        """Of each picture that could not be read, by its id, the reason."""

    @property
    def num_used(self) -> int:
        """Pictures that were read."""

    @property
    def num_listed(self) -> int:
        """Pictures of the list."""

    def add_missing(self, picture_id: Any, reason: str, /) -> None:
        """Note a picture that could not be read."""

    def share(self) -> Any:
        """What this process has, as plain values and arrays."""

    def take_share(self, share: Any, /) -> None:
        """Add what another process has."""


R = TypeVar("R", bound=Results)


class DenseModule(TaskModule, Generic[R]):
    """Trains a model of pictures. Its draws come from torch's generator, which is seeded at every step.

    A task says which losses a batch has, how results begin, how a batch is added to them, and which scores they give.
    """

    sample, unit = "picture", "pictures"
    results: R

    @abstractmethod
    def batch_losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """The losses of a training batch, scalars by name."""

    @abstractmethod
    def empty_results(self) -> R:
        """Results of which no picture is known yet."""

    @abstractmethod
    def add_to_results(self, batch: Mapping[str, Any]) -> None:
        """Add a batch of validation pictures; those with an error count as unread."""

    @abstractmethod
    def score_values(self, whole: R) -> dict[str, float]:
        """The scores of results by the names that they are logged under, `monitor` among them."""

    def training_step(self, batch: dict[str, Any], batch_index: int) -> Tensor:
        """Sum of the losses of a batch; see `collate_pictures` for its keys."""
        self.count_skipped(batch)
        before = self.buffers_before()
        losses = self.batch_losses(batch)
        loss = torch.stack([value.float() for value in losses.values()]).sum()
        if self.is_dropped(loss, batch["index"], before=before):
            return loss
        size = len(batch["sizes"])
        for name, value in {"loss": loss, **losses}.items():
            self.log(name, value, prog_bar=name == "loss", on_step=True, on_epoch=False, logger=False, batch_size=size)
            self.log(f"train/{name}", value, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Count anew; with FSDP, give every process the whole weights, as one may have more batches than another."""
        self.results = self.empty_results()
        gather_weights(self.model)

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Look at a batch of pictures; those with an error count as unread."""
        self.add_to_results(batch)

    def on_validation_epoch_end(self) -> None:
        """Score what all processes have found, and say which pictures could not be read.

        Raises:
            TrainingStoppedError: not one of them could.
        """
        spread_weights(self.model)
        if self.trainer.sanity_checking:
            return
        shares: list[Any] = gather_objects(self.results.share())
        whole = self.empty_results()
        for share in shares:
            whole.take_share(share)
        for name, value in self.score_values(whole).items():
            self.log(name, value, prog_bar=name == self.monitor, batch_size=1)
        self.log("val/num_unreadable", float(len(whole.errors)), batch_size=1)
        self._tell_unread(whole)

    def _tell_unread(self, whole: R) -> None:
        if not whole.errors:
            return
        found = f"{len(whole.errors)} of {whole.num_listed} validation pictures can't be read"
        reasons = "; ".join(list(whole.errors.values())[:NUM_SHOWN])
        if not whole.num_used:
            raise TrainingStoppedError(f"{found}, so there is nothing to validate on; repair the list: {reasons}")
        if self.current_epoch == 0:
            rank_zero_only(print)(f"note: {found} and are left out of {self.monitor}", flush=True)


def readable_places(results: Results, batch: Mapping[str, Any]) -> list[int]:
    """Places in a batch of the pictures that could be read; the others are noted.

    Args:
        results: of the evaluation, to be added to.
        batch: of an evaluation, with `picture_ids` and `errors`, of each picture "" or why it could not be read.
    """
    ids: Sequence[Hashable] = batch["picture_ids"]
    for name, error in zip(ids, batch["errors"], strict=True):
        if error:
            results.add_missing(name, error)
    return [place for place, error in enumerate(batch["errors"]) if not error]


def shared_by_clips(batch: Mapping[str, Any]) -> SharedTokens | None:
    """What the pictures of a training batch share: those of a clip the tokens of its first frame.

    Args:
        batch: with `sizes`, and of clips with `clip_frames`, the frames of each.
    """
    return clip_tokens(len(batch["sizes"]), clip_frames=batch.get("clip_frames", 1))


def shared_by_frames(
    batch: Mapping[str, Any], places: Sequence[int], key_frames: KeyFrames | None
) -> SharedTokens | None:
    """What the pictures of an evaluation share: those of a sequence the tokens of their key frame.

    Args:
        batch: with `sequences` and `frame_places` of all pictures.
        places: in the batch, of those that could be read.
        key_frames: of the evaluation, whose batches come in order; None = every picture has tokens of its own.
    """
    if key_frames is None:
        return None
    return key_frames.shared(*([batch[name][place] for place in places] for name in ("sequences", "frame_places")))
