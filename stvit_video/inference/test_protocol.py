"""How a video is seen by an evaluation: its clips and crops, and how their scores combine."""

from dataclasses import dataclass

from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.evaluation.view_average import describe_protocol, require_average
from stvit_video.layers.numbers import whole_number

MAX_VIEWS_PER_FORWARD = 16


@dataclass(frozen=True, kw_only=True)
class TestProtocol:
    """How a video is seen: clips spread over time, crops along the long side, and how their scores combine.

    Attributes:
        name: which frames and crops exactly, see `stvit_video.data.sampling.protocols`.
        num_clips: clips of a video, at least 1.
        num_crops: crops of a clip: 1 (centre) or 3 (start, centre, end of the long side).
        average: "prob" = softmax (several labels a video: sigmoid) of each view, then mean; "logit" = mean of logits.

    Raises:
        ValueError: a value is out of range.
    """

    __test__ = False  # for pytest, which takes classes of this name for tests

    name: str = "uniform"
    num_clips: int
    num_crops: int
    average: str

    @classmethod
    def named(
        cls,
        name: str = "uniform",
        *,
        num_clips: int | None = None,
        num_crops: int | None = None,
        average: str | None = None,
    ) -> "TestProtocol":
        """The protocol of this name; each part that is None is as published.

        Raises:
            ValueError: the name is not known, or a value is out of range.
        """
        published = find_protocol(name)
        return cls(
            name=name,
            num_clips=published.num_clips if num_clips is None else num_clips,
            num_crops=published.num_crops if num_crops is None else num_crops,
            average=published.average if average is None else average,
        )

    def __post_init__(self) -> None:
        find_protocol(self.name)
        whole_number("num_clips", self.num_clips)
        if self.num_crops not in (1, 3):
            raise ValueError(f"num_crops={self.num_crops} must be 1 (centre) or 3 (along the long side)")
        require_average(self.average)

    def videos_at_once(self, batch_size: int | None) -> int:
        """How many videos run together; None = as many as make MAX_VIEWS_PER_FORWARD views.

        Raises:
            ValueError: no whole number of at least 1.
        """
        if batch_size is None:
            return max(1, MAX_VIEWS_PER_FORWARD // (self.num_clips * self.num_crops))
        return whole_number("batch_size", batch_size)

    def describe(self, *, short_side: int, multi_label: bool = False) -> str:
        """In words, for a result line.

        Args:
            short_side: in pixels.
            multi_label: True = what is averaged as "prob" is the sigmoid.
        """
        views = describe_protocol(
            num_clips=self.num_clips,
            num_crops=self.num_crops,
            average=self.average,
            short_side=short_side,
            multi_label=multi_label,
        )
        return f"{views}, protocol {self.name}{self._changes()}"

    def _changes(self) -> str:
        """Where this is not what the name stands for: " (num_clips=7, not 5)"; ours stand for no numbers."""
        published = find_protocol(self.name)
        if published.short_sides is None:
            return ""
        pairs = {key: (getattr(self, key), getattr(published, key)) for key in ("num_clips", "num_crops", "average")}
        changed = [f"{key}={here}, not {there}" for key, (here, there) in pairs.items() if here != there]
        return f" ({'; '.join(changed)})" if changed else ""
