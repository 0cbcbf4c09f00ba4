"""FSDP2: weights, gradients and optimizer state spread over all processes."""

from collections.abc import Sequence
from typing import Any

from lightning.pytorch.strategies import ModelParallelStrategy
from torch import nn

# beside forward, and not called by it: these must not nest
DIRECT_CALLS = ("forward_logits", "forward_both", "losses", "detect", "segment")
BLOCK_CALLS = ("project",)  # of a block


def sharded_strategy(num_processes: int) -> ModelParallelStrategy:
    """Lightning's strategy for FSDP2; every checkpoint is one whole file, which one process can load.

    Args:
        num_processes: of the whole training; the weights are spread over all of them.
    """
    return ModelParallelStrategy(
        data_parallel_size=num_processes, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


def shard_model(model: nn.Module, mesh: Any) -> None:
    """Spread the weights of every block, and those of the rest together, over the processes of a mesh; in place.

    The parameters keep their names and axes, so that optimizer groups are made as ever.

    Args:
        model: one of ours, on any device; alike in all processes.
        mesh: torch's device mesh of one axis.

    Source: torch's `fully_shard` (FSDP2); a block is gathered when it runs and let go of behind it.
    """
    from torch.distributed.fsdp import FSDPModule, fully_shard  # not in all builds

    if isinstance(model, FSDPModule):
        return
    for module in list(model.modules()):
        blocks = getattr(module, "blocks", None)
        for block in blocks if isinstance(blocks, nn.ModuleList) else ():
            if next(block.parameters(), None) is not None:
                fully_shard(block, mesh=mesh)
                _register(block, BLOCK_CALLS)
    fully_shard(model, mesh=mesh)
    _register(model, DIRECT_CALLS)


def _register(module: nn.Module, names: Sequence[str]) -> None:
    """Gather the weights of a module for these of its methods, too."""
    from torch.distributed.fsdp import register_fsdp_forward_method

    for name in names:
        if hasattr(module, name):
            register_fsdp_forward_method(module, name)


def gather_weights(model: nn.Module) -> None:
    """Give every process the whole weights until `spread_weights`; of a model that is not sharded nothing happens.

    Each can then run the model as often as it likes, without the others.
    """
    for module in _sharded(model):
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()


def spread_weights(model: nn.Module) -> None:
    """Undo `gather_weights`."""
    for module in _sharded(model):
        module.set_reshard_after_forward(module is not model, recurse=False)
        module.reshard()


def _sharded(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if hasattr(module, "unshard")]
