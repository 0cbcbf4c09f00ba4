"""What a checkpoint says of one video."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

NUM_SHOWN = 3  # labels in the short form


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """The likeliest labels of one video, or the reason why it could not be read.

    Attributes:
        file: the video; None where frames or a clip were given in its place.
        labels: the likeliest labels, best first; empty where the video could not be read.
        probabilities: of these labels, in the same order. They sum to 1 over all classes; of a checkpoint for several
            labels a video each stands by itself.
        seconds: how long the video, or the part of it that was listed, lasts; NaN where that is not known.
        error: why there are no labels; None = there are.
        features: (embed_dim,) float32, the mean over the views of the video; None where they were not asked for.
    """

    file: Path | None = None
    labels: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    seconds: float = float("nan")
    error: str | None = None
    features: np.ndarray | None = None

    @property
    def label(self) -> str:
        """The likeliest label.

        Raises:
            ValueError: there is none.
        """
        if not self.labels:
            raise ValueError(f"there is no label: {self.error or 'no label reaches the threshold'}")
        return self.labels[0]

    def __str__(self) -> str:
        name = "" if self.file is None else f"{self.file}: "
        if self.error is not None:
            return f"{name}{self.error}"
        shown = zip(self.labels[:NUM_SHOWN], self.probabilities, strict=False)
        return name + ", ".join(f"{label} {probability:.3f}" for label, probability in shown)
