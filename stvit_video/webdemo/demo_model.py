"""What the page asks of a model, whether it is a checkpoint or a bundle. Nothing here needs torch or gradio."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stvit_video.inference.prediction import Prediction
from stvit_video.webdemo.clip_limits import RefusedError
from stvit_video.webdemo.reading_budget import ReadingBudget

__all__ = [
    "NUM_TIMED",
    "TOP_K",
    "Answer",
    "DemoModel",
    "ShownTokens",
    "Steps",
    "TokenChoice",
    "UnreadableError",
    "cost_facts",
    "shown_name",
]

TOP_K = 5  # labels of a clip
NUM_TIMED = 5  # passes, of which the latency is the median


class UnreadableError(RefusedError):
    """A clip that can't be read (any more), by whatever model."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What a slider offers.

    Attributes:
        low: the least value.
        high: the largest value.
        step: from one value to the next.
        chosen: where it stands at first.
        trained: the values that training has seen, ascending.
    """

    low: int
    high: int
    step: int
    chosen: int
    trained: tuple[int, ...]

    def warning(self, value: int) -> str:
        """What is said of a value that training has not seen; "" = it has."""
        if value in self.trained:
            return ""
        return f"not trained for this, but for {', '.join(map(str, self.trained))}: expect worse labels"

    def checked(self, value: object) -> int:
        """The value that a browser has sent, as one of these.

        Raises:
            RefusedError: it is none of them.
        """
        if isinstance(value, (int, float)) and self.low <= value <= self.high and value == int(value):
            return int(value)
        raise RefusedError(f"{value!r:.40} is no value of the slider; choose {self.low} to {self.high}.")


@dataclass(frozen=True)
class TokenChoice:
    """What the sliders say; None = the model has no such slider.

    Attributes:
        num_tokens: semantic tokens.
        place: blocks before they are generated.
    """

    num_tokens: int | None = None
    place: int | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says of a clip, and what that costs.

    Attributes:
        prediction: the likeliest labels.
        facts: names and values, in the order in which they are shown.
        notes: sentences that a visitor must know.
    """

    prediction: Prediction
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ShownTokens:
    """A small video of what the model has seen.

    Attributes:
        mp4: the file, which a browser can play.
        caption: what it shows.
        notes: sentences that a visitor must know.
    """

    mp4: bytes
    caption: str
    notes: Sequence[str] = field(default=())


class DemoModel(Protocol):
    """A model in use. One thread at a time calls it.

    Attributes:
        name: as the page calls it.
        about: what it is, in a few words.
        labels: all that it knows.
        token_steps: the slider of tokens; None = there is none.
        place_steps: the slider of the place of generation; likewise.
        why_fixed: why a slider is missing, in a sentence; "" = none is.
    """

    name: str
    about: str
    labels: Sequence[str]
    token_steps: Steps | None
    place_steps: Steps | None
    why_fixed: str

    def label(self, path: Path, choice: TokenChoice, budget: ReadingBudget) -> Answer:
        """Label a clip and measure what that costs.

        Args:
            path: of the clip.
            choice: of the sliders.
            budget: for reading the clip.

        Raises:
            UnreadableError: it can't be read.
            RefusedError: the model can't run with the choice.
        """

    def show_tokens(self, path: Path, choice: TokenChoice, folder: Path, budget: ReadingBudget) -> ShownTokens | None:
        """Draw what its tokens have seen; None = it has none that can be drawn.

        Args:
            path, choice, budget: as `label`, which was asked before.
            folder: for files that are removed before it returns.

        Raises:
            UnreadableError, RefusedError: as `label`, or there was no time left.
        """


def shown_name(path: str | Path) -> str:
    """What the page calls a checkpoint or bundle: its folder and file, without the rest of the server's path."""
    return "/".join(Path(path).resolve().parts[1:][-2:])


def cost_facts(*, milliseconds: float, gmacs: float | None, num_views: int) -> list[tuple[str, str]]:
    """What one clip costs, and all views of a video, as the page tells it.

    Args:
        milliseconds: of a clip, measured.
        gmacs: of a clip, multiply-adds in 1e9; None = not known.
        num_views: clips x crops of the video.
    """
    times = f"; {milliseconds * num_views:.1f} ms for the {num_views} views" if num_views > 1 else ""
    facts = [("latency", f"{milliseconds:.1f} ms a clip{times}")]
    if gmacs is not None:
        sums = f"; {gmacs * num_views:.3g} for the {num_views} views" if num_views > 1 else ""
        facts.append(("multiply-adds", f"{gmacs:.3g} GMACs a clip{sums}"))
    return facts
