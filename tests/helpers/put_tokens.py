"""Semantic tokens of one picture in the place of another's, by hooks on models that run each picture alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn

from stvit_video.tokens.recover import TokenRecovery


def recoveries(model: nn.Module) -> list[TokenRecovery]:
    return [module for module in model.modules() if isinstance(module, TokenRecovery)]


@contextmanager
def tokens_noted(model: nn.Module) -> Iterator[list]:
    """What each recovery of a picture is given as its context, in order."""
    found: list = []
    hooks = [block.register_forward_pre_hook(lambda _, inputs: found.append(inputs[1])) for block in recoveries(model)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def tokens_put(model: nn.Module, tokens: list) -> Iterator[None]:
    """Recoveries get these tokens as their context, whatever the picture's own are."""

    def put(given, _, inputs):
        return (inputs[0], given, *inputs[2:])

    pairs = zip(recoveries(model), tokens, strict=True)
    hooks = [block.register_forward_pre_hook(partial(put, given)) for block, given in pairs]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
