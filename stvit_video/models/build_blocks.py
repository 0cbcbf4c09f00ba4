"""From a plan to modules, and running them: what all families do alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

from torch import Tensor, nn

from stvit_video.layers.block import TransformerBlock
from stvit_video.layers.numbers import flag, whole_numbers
from stvit_video.layers.windows import check_windows, in_pieces, partition_windows, reverse_windows
from stvit_video.models.activation_checkpointing import run_block
from stvit_video.models.checks import resolve_token_grid
from stvit_video.tokens.generation_places import run_order
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plan_text import Stage, block_kinds
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.reducers.windowed_semantic import WindowedTokenGenerator
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.tokens.slot import BlockSettings, TokenSlot

Maker = Callable[..., nn.Module]


def make_slot(
    image_grid: TokenGrid,
    *,
    dense: bool,
    num_tokens: int | Sequence[int] | None,
    default_tokens: int | Sequence[int],
    window: Sequence[int] | None = None,
    key_window: Sequence[int] | None = None,
    center_window: tuple[int, ...] | None = None,
    recover_window: tuple[int, ...] | None = None,
    layer_scale_init: float | None = 1e-5,
    attention_shortcut: bool = True,
    global_centers: bool = True,
) -> TokenSlot | None:
    """The slot as a user's options ask for it; None for a dense model, which has none.

    Args:
        image_grid: the grid of image tokens the few come from.
        dense: whether the model has no slot.
        num_tokens: a count or a grid; None = `default_tokens`.
        center_window, recover_window: checked by the family that has them.

    Raises:
        ValueError: options of the slot in a dense model, no such grid of tokens, windows that do not divide the grid,
            or key windows without windows.
    """
    if dense:
        for name, value in (("num_tokens", num_tokens), ("token_window", window), ("key_window", key_window)):
            if value is not None:
                raise ValueError(f"{name}={value!r} has no meaning for a dense model; leave it out or use stvit_")
        return None
    sizes = None if window is None else whole_numbers("token_window", window)
    if sizes is not None:
        check_windows(image_grid.sizes, sizes)
    elif key_window is not None:
        raise ValueError(f"key_window={key_window!r} needs windows; give token_window too, or leave both out")
    wanted = default_tokens if num_tokens is None else num_tokens
    return TokenSlot(
        token_grid=resolve_token_grid(wanted, image_grid, window=sizes),
        image_grid=image_grid,
        window=sizes,
        key_window=None if key_window is None else whole_numbers("key_window", key_window),
        center_window=center_window,
        recover_window=recover_window,
        layer_scale_init=layer_scale_init,
        attention_shortcut=flag("generate_shortcut", attention_shortcut),
        global_centers=flag("global_centers", global_centers),
    )


def slot_makers(
    dim: int,
    slot: TokenSlot,
    *,
    num_heads: int,
    mlp_ratio: float,
    qkv_bias: bool,
    norm_eps: float = 1e-6,
    refine_layer_scale: float | None = None,
) -> dict[str, Maker]:
    """What builds the blocks that have to do with few tokens, by kind; the same for all families.

    Args:
        dim: channels C.
        slot: how the tokens are made.
        num_heads: attention heads.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether the attention projections have a bias.
        norm_eps: added to the variance by the norms.
        refine_layer_scale: start value of the gains of refine blocks; None = no gains, as in blocks of image weights.
    """
    blocks = BlockSettings(num_heads=num_heads, mlp_ratio=mlp_ratio, qkv_bias=qkv_bias, norm_eps=norm_eps)
    refine = partial(TransformerBlock, dim, layer_scale_init=refine_layer_scale, **asdict(blocks))
    windows: dict[str, Any] = {} if slot.recover_window is None else {"window": slot.window}
    windows["recover_window"] = slot.recover_window
    recover = partial(TokenRecovery, dim, layer_scale_init=slot.layer_scale_init, **windows, **asdict(blocks))
    reducers = REDUCERS | ({} if slot.center_window is None else {"semantic": WindowedTokenGenerator})
    return {
        **{name: partial(reducer.build, dim, slot=slot, blocks=blocks) for name, reducer in reducers.items()},
        "refine": refine,
        "local": refine,
        "recover": recover,
    }


def build_blocks(stages: tuple[Stage, ...], makers: Mapping[str, Maker], rates: Iterator[float]) -> nn.ModuleList:
    """The modules of a plan in order; a reducer is one module, of however many layers.

    Args:
        stages: the plan.
        makers: what builds a block of each kind; it is called with `drop_path_rate`, that of a reducer with the
            `drop_path_rates` of its layers and with `is_first`, see `TokenReducer.build`.
        rates: stochastic-depth rates of the layers to come; as many as `num_layers` are taken.

    Raises:
        ValueError: no maker for a kind of the plan.
    """
    blocks = nn.ModuleList()
    for kind in block_kinds(stages):
        if kind not in makers:
            raise ValueError(f"a plan with a {kind} block does not fit this model; it has {', '.join(makers)}")
        if kind in REDUCERS:
            taken = tuple(islice(rates, REDUCERS[kind].num_layers))
            is_first = not any(isinstance(block, REDUCERS[kind]) for block in blocks)
            blocks.append(makers[kind](drop_path_rates=taken, is_first=is_first))
        else:
            blocks.append(makers[kind](drop_path_rate=next(rates)))
    return blocks


def in_order(blocks: nn.ModuleList, order: tuple[tuple[int, str], ...]) -> tuple[list[nn.Module], tuple[str, ...]]:
    """Blocks in the order in which they run, and the kind that each runs as.

    Args:
        blocks: of `build_blocks`.
        order: of `stvit_video.tokens.generation_places.run_order`, or a part of it.
    """
    return [blocks[index] for index, _ in order], tuple(kind for _, kind in order)


def run_blocks(
    blocks: Sequence[nn.Module],
    kinds: tuple[str, ...],
    x: Tensor,
    shared: SharedTokens | None = None,
    *,
    taken: tuple[Tensor, tuple[int, ...]] | None = None,
) -> Tensor:
    """Run a plan over tokens on their grid.

    "joint" and "refine" blocks see all tokens, "local" blocks those of one window of the reducer; what a reducer took
    is what a "recover" block gives back. Every other block takes the grid as it is.

    Args:
        blocks: of `in_order`.
        kinds: what each runs as.
        x: (B, *grid, C).
        shared: of frames that share semantic tokens: from a reducer to the "recover" block behind it, the key frames
            run alone; where the batch has none, no block does. None = every row has tokens of its own.
        taken: where `x` are tokens that a reducer has left: the image tokens (B, *grid, C) that it took, and its
            `window_tokens` of their grid. None = `x` are image tokens.

    Returns:
        (B, *sizes, C), the image tokens' grid or the few tokens'.
    """
    image_tokens, in_window = (x, tuple(x.shape[1:-1])) if taken is None else taken
    skips = False  # what no frame of the batch needs
    for kind, block in zip(kinds, blocks, strict=True):
        if isinstance(block, TokenReducer):
            image_tokens, in_window = x, block.window_tokens(tuple(x.shape[1:-1]))
            skips = shared is not None and not shared.rows
            if not skips:
                x = run_block(block, x if shared is None else shared.generating(x))
        elif isinstance(block, TokenRecovery):
            if shared is not None:
                x = shared.recovered_from(None if skips else block.project(x))
            inputs = block.arguments(image_tokens, x, in_window)
            x = run_block(block, *inputs, shared is not None).reshape(image_tokens.shape)
            skips = False
        elif skips:
            continue
        elif kind in ("joint", "refine"):
            x = run_block(block, x.flatten(1, -2)).unflatten(1, x.shape[1:-1])
        elif kind == "local":
            x = in_pieces(partial(_run_in_windows, block), x, in_window)
        else:
            x = run_block(block, x)
    return x


def _run_in_windows(block: nn.Module, x: Tensor, window: tuple[int, ...]) -> Tensor:
    """Run a block over the tokens of each window, which divides the grid: (B, *grid, C) -> (B, *grid, C)."""
    windows = partition_windows(x, window)
    windows = run_block(block, windows.flatten(1, -2)).unflatten(1, window)
    return reverse_windows(windows, tuple(x.shape[1:-1]))


class Level(nn.Module):
    """One level of a pyramid: come down to a coarser grid, then run the blocks of its plan.

    Args:
        stages: the plan of the level.
        makers: what builds its blocks, see `build_blocks`.
        rates: stochastic-depth rates of the layers to come.
        downsample: from the level before, (B, *grid, C) -> (B, *coarser, C'); nothing in the first level.
    """

    def __init__(
        self, stages: tuple[Stage, ...], makers: Mapping[str, Maker], rates: Iterator[float], downsample: nn.Module
    ) -> None:
        super().__init__()
        self.downsample = downsample
        self.kinds = block_kinds(stages)
        self.order = run_order(self.kinds)
        self.blocks = build_blocks(stages, makers, rates)

    def forward(self, x: Tensor, shared: SharedTokens | None = None) -> Tensor:
        """(B, *grid, C) -> (B, *sizes, C'); for `shared` see `run_blocks`."""
        return run_blocks(*in_order(self.blocks, self.order), self.downsample(x), shared)
