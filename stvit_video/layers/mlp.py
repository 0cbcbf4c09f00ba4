"""The two-layer perceptron of a transformer block."""

from torch import Tensor, nn


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
        return self.fc2(self.act(self.fc1(x)))
