import pytest
import torch
from torchvision.models.detection.retinanet import RetinaNetHead

from stvit_video.dense.init_towers import init_towers


@pytest.mark.parametrize("channels", [16, 96])
def test_signals_keep_their_size(channels):
    torch.manual_seed(0)
    tower = RetinaNetHead(channels, 1, 1).classification_head.conv
    x = torch.randn(2, channels, 20, 20)
    assert tower(x).square().mean() < 1e-3
    init_towers(tower)
    assert 0.15 < tower(x).square().mean() < 2.5
    assert not any(layer[0].bias.any() for layer in tower)
