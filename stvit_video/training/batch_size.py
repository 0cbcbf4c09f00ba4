"""The effective batch of a training, and the learning rate that belongs to it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchSize:
    """What one optimizer step averages over.

    Attributes:
        per_process: videos of a batch, in one process.
        num_processes: of the whole training, on all machines.
        num_accumulated: batches whose gradients one step takes together.
        num_repeats: clips of each video.
        unit: what a process is called: "GPU" or "process".
    """

    per_process: int
    num_processes: int
    num_accumulated: int = 1
    num_repeats: int = 1
    unit: str = "GPU"

    @property
    def videos(self) -> int:
        """Different videos of a step: what the learning rate is scaled by, and `expected_batch` counts.

        Source: VideoMAE's `run_class_finetuning.py`, whose rule leaves its repeats (`num_sample`) out.
        """
        return self.per_process * self.num_processes * self.num_accumulated

    @property
    def clips(self) -> int:
        """Clips of a step."""
        return self.videos * self.num_repeats

    def describe(self) -> str:
        """The product, such as "effective batch 64 = 8/GPU x 8 GPU x 1 accumulate x 1 repeat"."""
        plural = "es" if self.unit == "process" and self.num_processes > 1 else ""
        repeats = f"{self.num_repeats} repeat{'s' if self.num_repeats > 1 else ''}"
        videos = f" ({self.videos} videos)" if self.num_repeats > 1 else ""
        return (
            f"effective batch {self.clips} = {self.per_process}/{self.unit} x {self.num_processes} {self.unit}{plural} "
            f"x {self.num_accumulated} accumulate x {repeats}{videos}"
        )


def learning_rate_scale(batch: BatchSize, *, reference_batch: int | None) -> float:
    """What learning rates that are meant for `reference_batch` videos a step are multiplied by; 1 without one.

    Source: the linear rule of Goyal et al. 2017 (arXiv:1706.02677); VideoMAE scales the smallest learning rate and
        that of the warm-up's start along, and so do we.
    """
    return 1.0 if reference_batch is None else batch.videos / reference_batch


def describe_start(batch: BatchSize, *, lr: float, reference_batch: int | None) -> str:
    """The line that a training begins with: effective batch and the learning rate at the peak, as used.

    Args:
        batch: of this training.
        lr: as it is set, before scaling.
        reference_batch: the videos a step that `lr` is meant for; None = it is used as it is.
    """
    used = _number(lr * learning_rate_scale(batch, reference_batch=reference_batch))
    if reference_batch is None:
        return f"{batch.describe()}; lr {used} (as set)"
    return (
        f"{batch.describe()}; lr {used} (scaled from {reference_batch}: {_number(lr)} x {batch.videos} / "
        f"{reference_batch}, other learning rates along)"
    )


def batch_warning(batch: BatchSize, *, expected_batch: int | None, reference_batch: int | None) -> str:
    """What to say where a recipe is for another effective batch, and which setting meets it; "" = nothing.

    Args:
        batch: of this training.
        expected_batch: videos a step that the recipe is for; None = any.
        reference_batch: as in `describe_start`.
    """
    if expected_batch is None or batch.videos == expected_batch:
        return ""
    at_once = batch.per_process * batch.num_processes
    if expected_batch % at_once:
        way = (
            f"no number of accumulated batches of {batch.per_process} x {batch.num_processes} gives it, so change "
            "data.batch_size too"
        )
    else:
        way = f"trainer.accumulate_grad_batches={expected_batch // at_once} gives it"
    scaled = (
        "the learning rate is scaled to this batch"
        if reference_batch is not None
        else "the learning rate stays that of the recipe"
    )
    return (
        f"a step takes {batch.videos} videos, the recipe is for optim.expected_batch={expected_batch}: {way}; "
        f"otherwise {scaled}, and results may differ"
    )


def _number(value: float) -> str:
    """With two digits or as many as it has: 1.0e-3, 1.25e-4."""
    digits, exponent = f"{value:.3e}".split("e")
    digits = digits.rstrip("0")
    return f"{digits}{'0' if digits.endswith('.') else ''}e{int(exponent)}"
