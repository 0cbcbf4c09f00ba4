"""The values that the sliders of a checkpoint offer, and whether it was trained for them."""

from collections.abc import Sequence
from math import gcd
from typing import Any

from stvit_video.models.base import TokenModel
from stvit_video.webdemo.demo_model import Steps

__all__ = ["fixed_words", "place_steps", "token_steps", "tokens_of_count"]


def token_steps(model: TokenModel) -> Steps | None:
    """Counts of semantic tokens between the least and the most that an elastic model was trained for; else None."""
    chosen = model.token_grid
    trained = model.trained_counts
    if chosen is None or len(trained) < 2:
        return None
    step = gcd(*(count - trained[0] for count in trained), chosen.count - trained[0])
    low, high = min(trained[0], chosen.count), max(trained[-1], chosen.count)
    return Steps(low=low, high=high, step=step, chosen=chosen.count, trained=trained)


def place_steps(model: TokenModel) -> Steps | None:
    """Every place where the model can generate tokens; None where it can't be moved."""
    if model.generate_at is None or model.num_image_blocks < 2:
        return None
    return Steps(
        low=1, high=model.num_image_blocks, step=1, chosen=model.generate_at, trained=tuple(model.trained_places)
    )


def tokens_of_count(model: TokenModel, count: int) -> Any:
    """What `set_num_tokens` takes for a count: the grid or count of the training's list, else the count."""
    return next((entry for trained, entry in _drawn(model) if trained == count), count)


def fixed_words(model: TokenModel) -> str:
    """Why there is no slider for tokens, in a sentence; "" = there is one."""
    if model.token_grid is None:
        return "A dense model has no semantic tokens to choose; train a stvit_ model for sliders."
    if token_steps(model) is None:
        return (
            f"This checkpoint was trained for {model.token_grid.count} tokens alone; model.elastic=[8,16,32] in a "
            "training makes one whose tokens can be chosen here."
        )
    return ""


def _drawn(model: TokenModel) -> list[tuple[int, int | Sequence[int]]]:
    """The counts or grids that training has drawn from, each with its number of tokens."""
    return [(model.resolve_tokens(entry).count, entry) for entry in model.elastic or ()]
