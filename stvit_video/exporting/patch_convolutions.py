"""Patches that are embedded by convolutions, for runtimes whose tensors have few axes."""

from torch import nn

from stvit_video.layers.patch_embed import PatchEmbed


def patches_by_convolution(module: nn.Module) -> nn.Module:
    """`module`, whose patches are embedded by convolutions from now on, which takes five axes at most and not eight."""
    for layer in module.modules():
        if isinstance(layer, PatchEmbed):
            layer.by_convolution = True
    return module
