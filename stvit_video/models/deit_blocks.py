"""From a plan to the modules of a DeiT, and how their weights start."""

from functools import partial

from torch import nn

from stvit_video.layers.block import TransformerBlock
from stvit_video.layers.drop_path import drop_path_rates
from stvit_video.tokens.generate import SemanticTokenGenerator
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.schedule import Stage


def block_kinds(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """The kind of every module of `build_blocks`; a generator is one module of two layers."""
    return tuple(s.kind for s in stages for _ in range(1 if s.kind == "generate" else s.depth))


def build_blocks(
    stages: tuple[Stage, ...],
    embed_dim: int,
    *,
    token_grid: TokenGrid | None,
    num_heads: int,
    mlp_ratio: float,
    qkv_bias: bool,
    drop_path_rate: float,
    layer_scale_init: float | None,
) -> nn.ModuleList:
    """The modules of a plan in order: a block, a generator (two layers) or a recovery each.

    Raises:
        ValueError: a generate stage without a token grid.
    """
    block = partial(TransformerBlock, embed_dim, num_heads=num_heads, mlp_ratio=mlp_ratio, qkv_bias=qkv_bias)
    recover = partial(
        TokenRecovery,
        embed_dim,
        num_heads=num_heads,
        mlp_ratio=mlp_ratio,
        qkv_bias=qkv_bias,
        layer_scale_init=layer_scale_init,
    )
    generate = partial(
        SemanticTokenGenerator,
        embed_dim,
        num_heads=num_heads,
        mlp_ratio=mlp_ratio,
        qkv_bias=qkv_bias,
        layer_scale_init=layer_scale_init,
    )
    rates = list(drop_path_rates(drop_path_rate, sum(stage.depth for stage in stages)))
    blocks = nn.ModuleList()
    for stage in stages:
        stage_rates = [rates.pop(0) for _ in range(stage.depth)]
        if stage.kind == "generate":
            if token_grid is None:
                raise ValueError("a schedule with a generate stage needs a token_grid; give one, for example (4, 4)")
            blocks.append(generate(token_grid=token_grid, drop_path_rates=(stage_rates[0], stage_rates[1])))
        else:
            make = recover if stage.kind == "recover" else block
            blocks.extend(make(drop_path_rate=rate) for rate in stage_rates)
    return blocks


def init_linear(module: nn.Module) -> None:
    """Weights by fan-in and fan-out, so that narrow models attend as sharply at the start as wide ones.

    Source: Glorot and Bengio 2010; as in the first ViT (Dosovitskiy et al. 2021).
    Differs: DeiT draws all weights with deviation 0.02, which leaves narrow models with nearly even attention.
    """
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.Conv3d)):
        nn.init.xavier_uniform_(module.weight.view(module.weight.shape[0], -1))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
