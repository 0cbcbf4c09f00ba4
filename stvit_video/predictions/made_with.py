"""What predictions depend on beside the videos: two results of the same values may stand in one file."""

from collections.abc import Mapping
from typing import Any

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.test_protocol import TestProtocol

DIGEST_SHOWN = 12  # characters
Values = Mapping[str, Any]


def made_with(
    model: Values,
    *,
    protocol: TestProtocol,
    preprocessing: Preprocessing,
    num_classes: int,
    top_k: int,
    threshold: float | None,
    features: bool = False,
) -> dict[str, Any]:
    """Plain values that JSON can hold, by names that a user knows.

    Args:
        model: values of the checkpoint or bundle, see `checkpoint_values`.
        protocol: how a video is seen.
        preprocessing: what the model is fed with.
        num_classes: labels that there are.
        top_k: labels of a video, where there is no threshold.
        threshold: least probability of a label.
        features: True = features are kept.
    """
    values = {
        **model,
        "protocol": protocol.name,
        "num_clips": protocol.num_clips,
        "num_crops": protocol.num_crops,
        "average": protocol.average,
        "top_k": None if threshold is not None else min(top_k, num_classes),
        "threshold": threshold,
        "features": features,
    }
    return values | preprocessing.to_dict()


def describe_differences(then: Values, now: Values) -> str:
    """The values that differ, such as "num_clips=5 then, 1 now"; "" = none do."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return "; ".join(_difference(name, then.get(name), now.get(name)) for name in names)


def _difference(name: str, then: Any, now: Any) -> str:
    if name in ("checkpoint", "bundle"):
        return f"another {name} (digest {str(then)[:DIGEST_SHOWN]} then, {str(now)[:DIGEST_SHOWN]} now)"
    return f"{name}={_shown(then)} then, {_shown(now)} now"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
