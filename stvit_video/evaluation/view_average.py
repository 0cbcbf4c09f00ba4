"""How the scores of a video's views combine, in words and on arrays; nothing here needs torch.

`evaluation.multiview` has the same rule on tensors.
"""

import numpy as np

AVERAGES = ("prob", "logit")
AVERAGE_WORDS = {"prob": "softmax averaged", "logit": "logits averaged"}


class NonFiniteLogitsError(ArithmeticError):
    """The model gave NaN or infinity for a video; the message names the videos."""


def require_average(average: str) -> None:
    """Raise unless the word is one of AVERAGES.

    Raises:
        ValueError: it is not.
    """
    if average not in AVERAGES:
        raise ValueError(f"average={average!r} is not known; use one of {', '.join(AVERAGES)}")


def describe_protocol(
    *, num_clips: int, num_crops: int, average: str, short_side: int, multi_label: bool = False
) -> str:
    """Views, averaging and resolution in words: "4 clips x 3 crops, softmax averaged, short side 224".

    Args:
        multi_label: True = what is averaged as "prob" is the sigmoid.
    """
    clips = f"{num_clips} clip" + ("s" if num_clips != 1 else "")
    crops = f"{num_crops} crop" + ("s" if num_crops != 1 else "")
    words = "sigmoid averaged" if multi_label and average == "prob" else AVERAGE_WORDS[average]
    return f"{clips} x {crops}, {words}, short side {short_side}"


def probabilities_of_views(view_logits: np.ndarray, *, average: str, multi_label: bool) -> np.ndarray:
    """Probabilities of a video from the logits of its views.

    Args:
        view_logits: (V, num_classes) float32.
        average: "prob" = softmax of each view, then the mean over views; "logit" = softmax of the mean of the logits.
        multi_label: True = a video can have several labels, so the sigmoid takes the place of the softmax.

    Returns:
        (num_classes,) float32.

    Raises:
        ValueError: unknown `average`, no views, or not two axes.
    """
    require_average(average)
    if view_logits.ndim != 2 or len(view_logits) == 0:
        raise ValueError(f"view_logits must be (views >= 1, classes), got {view_logits.shape}")
    function = _sigmoid if multi_label else _softmax
    if average == "prob":
        return function(view_logits).mean(axis=0, dtype=np.float32)
    return function(view_logits.mean(axis=0, dtype=np.float32))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow: of large negative values too."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1, small) / (1 + small)
