"""Stochastic depth: a residual branch is dropped for whole samples while training."""

from torch import Tensor, nn

from stvit_video.layers.numbers import share


def drop_path(x: Tensor, *, drop_probability: float, training: bool) -> Tensor:
    """Zero whole samples of `x` at random and scale the rest so that the mean stays.

    Args:
        x: (B, ...), the output of a residual branch.
        drop_probability: chance in [0, 1) that a sample is zeroed.
        training: nothing is dropped when False.

    Returns:
        The same shape as `x`.

    Source: Huang et al. 2016, "Deep Networks with Stochastic Depth".
    """
    if drop_probability == 0.0 or not training:
        return x
    keep_probability = 1.0 - drop_probability
    mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep_probability)
    return x * mask / keep_probability


class DropPath(nn.Module):
    """`drop_path` as a layer.

    Args:
        drop_probability: chance in [0, 1) that a sample's branch is zeroed while training.

    Raises:
        ValueError: `drop_probability` is outside [0, 1).
    """

    def __init__(self, drop_probability: float = 0.0) -> None:
        super().__init__()
        if not 0.0 <= drop_probability < 1.0:
            raise ValueError(
                f"drop_path probability is {drop_probability}; it must lie in [0, 1): choose 0 to switch it off"
            )
        self.drop_probability = drop_probability

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) -> (B, ...)."""
        return drop_path(x, drop_probability=self.drop_probability, training=self.training)

    def extra_repr(self) -> str:
        """The setting, for print(model)."""
        return f"drop_probability={self.drop_probability}"


def drop_path_rates(drop_path_rate: float, depth: int) -> tuple[float, ...]:
    """Rates that grow linearly from 0 at the first block to `drop_path_rate` at the last of `depth` blocks.

    Raises:
        ValueError: `drop_path_rate` is no number in [0, 1).
    """
    last = share("drop_path_rate", drop_path_rate)
    return tuple(last * i / max(depth - 1, 1) for i in range(depth))
