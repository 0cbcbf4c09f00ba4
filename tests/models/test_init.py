import pytest
import torch
from torch import nn

from stvit_video.models.init import init_linear


@pytest.mark.parametrize("module", [nn.Linear(30, 50), nn.Conv2d(3, 50, (2, 5)), nn.Conv3d(3, 50, (1, 2, 5))])
def test_weights_are_drawn_by_fan_in_and_fan_out(module):
    torch.manual_seed(0)
    init_linear(module)
    limit = (6 / (30 + 50)) ** 0.5
    assert 0.95 * limit < module.weight.abs().max() <= limit
    assert module.bias.abs().max() == 0


def test_other_layers_are_left_alone():
    norm = nn.LayerNorm(5)
    init_linear(norm)
    assert (norm.weight == 1).all()
    init_linear(without_bias := nn.Linear(3, 5, bias=False))
    assert without_bias.bias is None
