"""The two-layer perceptron of a transformer block."""

from torch import Tensor, nn

from stvit_video.layers.batch_parts import in_parts
from stvit_video.layers.numbers import number


def hidden_channels(dim: int, mlp_ratio: float) -> int:
    """Channels between the two layers of an MLP over `dim` channels.

    Raises:
        ValueError: `mlp_ratio` is no number, or leaves no channel.
    """
    channels = int(dim * number("mlp_ratio", mlp_ratio))
    if channels < 1:
        raise ValueError(
            f"mlp_ratio={mlp_ratio!r} is not possible: {dim} channels times it is {channels}; choose a ratio that "
            f"leaves at least 1, such as 4"
        )
    return channels


class Mlp(nn.Module):
    """Linear, GELU, linear, on every token alone.

    Args:
        dim: channels C in and out.
        hidden_dim: channels between the two layers.

    Source: Dosovitskiy et al. 2021, section 3.1; weight names as in timm.
    """

    def __init__(self, dim: int, *, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return in_parts(self._map, x, width=self.fc1.out_features)

    def _map(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))
