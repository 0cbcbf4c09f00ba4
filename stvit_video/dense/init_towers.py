"""Fresh weights of the convolutions of a head, so that signals keep their size in necks of any width."""

from torch import nn


def init_towers(towers: nn.Module) -> None:
    """Draw the weights of all convolutions behind which there is a ReLU; biases become 0.

    Args:
        towers: a module whose convolutions are all followed by a ReLU.

    Source: He et al. 2015 (arXiv:1502.01852).

    Differs: the published heads have a deviation of .01, which suits 256 channels; through four convolutions of 64
        channels a signal becomes a thousand times smaller, and a training from scratch hardly begins.
    """
    for layer in towers.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
