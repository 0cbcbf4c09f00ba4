"""From the probabilities of a video to its `Prediction`: which labels are told. Nothing here needs torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stvit_video.inference.prediction import Prediction
from stvit_video.layers.numbers import whole_number


def require_labels(*, multi_label: bool, top_k: int, threshold: float | None) -> None:
    """Check which labels of a video are asked for.

    Args:
        multi_label: whether a video can have several labels.
        top_k: labels of a video.
        threshold: least probability of a label; None = the top_k are told.

    Raises:
        ValueError: top_k is below 1, the threshold is outside 0 .. 1, or it is meant for several labels a video.
    """
    whole_number("top_k", top_k)
    if threshold is None:
        return
    if not multi_label:
        raise ValueError(
            f"threshold={threshold} is for checkpoints with several labels a video, this one has one each; use top_k"
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold={threshold} must be a number between 0 and 1")


def likeliest(
    probabilities: np.ndarray,
    classes: Sequence[str],
    *,
    top_k: int,
    threshold: float | None,
    file: Path | None,
    seconds: float,
    features: np.ndarray | None = None,
) -> Prediction:
    """The prediction of one video; of equal probabilities the first class comes first.

    Args:
        probabilities: (num_classes,) float32.
        classes: label names in the order of `probabilities`.
        top_k: labels, fewer if there are fewer classes.
        threshold: every label with at least this probability in place of the top_k.
        file: see `Prediction`; with seconds and features.
    """
    k = top_k if threshold is None else int((probabilities >= threshold).sum())
    best = np.argsort(-probabilities, kind="stable")[:k]
    return Prediction(
        file=file,
        labels=tuple(classes[number] for number in best),
        probabilities=tuple(float(probabilities[number]) for number in best),
        seconds=seconds,
        features=features,
    )
