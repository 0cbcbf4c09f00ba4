import pytest
import torch

from stvit_video.layers.mlp import Mlp, hidden_channels


def test_equals_formula_by_hand():
    mlp = Mlp(3, hidden_dim=7)
    x = torch.randn(2, 5, 3)
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    gelu = 0.5 * hidden * (1 + torch.erf(hidden / 2**0.5))
    torch.testing.assert_close(mlp(x), gelu @ mlp.fc2.weight.T + mlp.fc2.bias)


def test_hidden_channels():
    assert hidden_channels(7, 2.5) == 17
    assert hidden_channels(7, 4) == 28


@pytest.mark.parametrize(("ratio", "channels"), [(0, 0), (-1, -7), (0.1, 0)])
def test_no_hidden_channels(ratio, channels):
    with pytest.raises(ValueError, match=rf"mlp_ratio={ratio} .*7 channels.* {channels}\b"):
        hidden_channels(7, ratio)


def test_ratio_that_is_no_number():
    with pytest.raises(ValueError, match="mlp_ratio='4' .*finite number"):
        hidden_channels(7, "4")
