import torch
from drawn_maps import enlarged, shaken
from torch import nn
from torch.nn import functional as F

from stvit_video.dense.map_layers import PixelClassifier, PyramidPooling, conv_norm


def test_a_convolution_norms_and_has_no_values_below_0():
    layer, x = shaken(conv_norm(3, 5)), torch.randn(2, 3, 7, 6)
    conv, norm = layer[0], layer[1]
    assert conv.bias is None
    by_hand = F.conv2d(F.pad(x, (1, 1, 1, 1)), conv.weight)
    shape = (1, 5, 1, 1)
    by_hand = (by_hand - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + 1e-5).sqrt()
    by_hand = (by_hand * norm.weight.view(shape) + norm.bias.view(shape)).clamp(min=0)
    torch.testing.assert_close(layer(x), by_hand, atol=1e-5, rtol=1e-4)
    assert conv_norm(3, 5, kernel=1)(x).shape == (2, 5, 7, 6)


def test_fresh_signals_keep_their_size():
    torch.manual_seed(0)
    layer = conv_norm(64, 64)
    weight = layer[0].weight
    assert abs(float(weight.std()) / (2 / (64 * 9)) ** 0.5 - 1) < 0.02


def test_the_classifier_drops_whole_channels_in_training_alone():
    torch.manual_seed(0)
    classifier = PixelClassifier(50, 50, dropout=0.4)
    assert float(classifier.conv.weight.std()) < 0.012
    assert (classifier.conv.bias == 0).all()
    with torch.no_grad():
        classifier.conv.weight.copy_(torch.eye(50)[..., None, None])
    x = torch.rand(3, 50, 4, 5) + 1
    assert torch.equal(classifier.eval()(x), x)
    dropped = (classifier.train()(x) == 0).flatten(2)
    assert torch.equal(dropped.any(-1), dropped.all(-1))
    assert 0.3 < float(dropped.float().mean()) < 0.5


def test_pooling_by_hand():
    """Cells of a pooled grid are means of rows and columns that overlap where the sides do not divide."""
    cells = (1, 2, 3)
    layer = shaken(PyramidPooling(4, 5, cells=cells))
    x = torch.randn(1, 4, 7, 5)
    parts = [x[0]]
    for number, conv in zip(cells, layer.convs, strict=True):
        grid = torch.zeros(4, number, number)
        for i in range(number):
            for j in range(number):
                rows = slice(i * 7 // number, -(-(i + 1) * 7 // number))
                columns = slice(j * 5 // number, -(-(j + 1) * 5 // number))
                grid[:, i, j] = x[0, :, rows, columns].mean((1, 2))
        parts.append(enlarged(conv(grid[None])[0], (7, 5)))
    torch.testing.assert_close(layer(x), layer.fuse(torch.cat(parts)[None]), atol=1e-5, rtol=1e-4)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in layer.modules()) == 4
