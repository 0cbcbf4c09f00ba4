import torch

from stvit_video.layers.mlp import Mlp


def test_equals_formula_by_hand():
    mlp = Mlp(3, hidden_dim=7)
    x = torch.randn(2, 5, 3)
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    gelu = 0.5 * hidden * (1 + torch.erf(hidden / 2**0.5))
    torch.testing.assert_close(mlp(x), gelu @ mlp.fc2.weight.T + mlp.fc2.bias)
