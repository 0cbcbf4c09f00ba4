"""Where published segmenters compute differently: a rule for each origin of weights, stored with the weights."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MapRule:
    """How a segmenter computes.

    Args:
        loss_of_all_pixels: the losses are divided by all pixels of a batch, not by those that are counted.
    """

    loss_of_all_pixels: bool = False


MAP_RULES: dict[str, MapRule] = {
    "ours": MapRule(),
    "mmseg": MapRule(loss_of_all_pixels=True),
}
