"""What the model cards of detectors and segmenters have in common: their data, head and cost."""

from collections.abc import Mapping
from typing import Any

__all__ = ["head_row", "of_any_size", "picture_cost_rows", "picture_data_rows"]

Values = Mapping[str, Any]


def of_any_size(metadata: Values) -> dict[str, Any]:
    """Metadata whose model has no size of pictures, since a backbone with maps takes any."""
    model = metadata["model"]
    options = {name: value for name, value in model["options"].items() if name != "image_size"}
    return {**metadata, "model": {**model, "options": options}}


def picture_data_rows(metadata: Values) -> dict[str, Any]:
    """What the model was trained on."""
    sizes = metadata["preprocessing"]
    return {
        "source": metadata["config"].get("data", {}).get("source", "not stated"),
        "classes": f"{len(metadata['classes'])}, see labels.json for their order",
        "input": f"short side {sizes['short_side']}, long side at most {sizes['long_side']} pixels, RGB, mean "
        f"{sizes['mean']}, standard deviation {sizes['std']}",
    }


def head_row(metadata: Values) -> str:
    """The options of the head."""
    options = {"head_rule": metadata["head_rule"], **metadata["head_options"]}
    return ", ".join(f"{name}={value}" for name, value in options.items() if value is not None)


def picture_cost_rows(result: Values | None, *, whole: str) -> dict[str, Any]:
    """What a picture costs.

    Args:
        result: result.json of the run; None = this checkpoint was not evaluated.
        whole: the name that it has for the multiply-adds of backbone and head, such as "gmacs_detector".
    """
    if result is None:
        return {}
    height, width = result["picture_size"]
    return {
        f"multiply-adds at {height}x{width} pixels": f"{result[whole]:.3f} G, of them "
        f"{result['gmacs_backbone']:.3f} G of the backbone"
    }
