"""The builder behind every named DeiT: sizes as people say them, to a `DeiT`."""

from collections.abc import Sequence

from stvit_video.layers.numbers import is_list, is_whole, whole_number, whole_numbers
from stvit_video.models.checks import image_token_grid, resolve_token_grid
from stvit_video.models.deit import DeiT
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.schedule import deit_schedule

VIDEO_OPTIONS = ("num_frames", "tubelet_size", "base_attention")  # of `deit`, without a meaning for images


def deit(
    *,
    video: bool,
    num_classes: int,
    num_frames: int = 16,
    image_size: int | Sequence[int] = 224,
    in_channels: int = 3,
    tubelet_size: int = 2,
    patch_size: int | Sequence[int] = 16,
    embed_dim: int,
    depth: int = 12,
    num_heads: int,
    mlp_ratio: float = 4.0,
    qkv_bias: bool = True,
    base_attention: str = "frame",
    reducer: str = "none",
    generate_at: int = 4,
    num_tokens: int | Sequence[int] | None = None,
    pool: str | None = None,
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    layer_scale_init: float | None = 1e-5,
) -> DeiT:
    """DeiT over images or clips, dense (`reducer="none"`) or STViT-DeiT (`reducer="semantic"`).

    Args:
        video: whether the input are clips.
        num_classes: logits of the head.
        num_frames: frames T of a clip.
        image_size: pixels, one number for both sides or (H, W).
        in_channels: channels of a pixel.
        tubelet_size: frames of a tubelet; T is a multiple of it.
        patch_size: pixels of a patch, one number or (h, w).
        embed_dim: channels C.
        depth: blocks in all, the two of generation included.
        num_heads: attention heads.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether attention projections have a bias.
        base_attention: of the first `generate_at` blocks: "frame" (each tubelet step alone) or "joint"; a dense
            model with "joint" is the plain space-time transformer.
        reducer: "none" or "semantic".
        generate_at: number of blocks before generation.
        num_tokens: semantic tokens, a count or a grid (H, W) or (T, H, W); where left out 16, for clips 64.
        pool: "cls" or "mean"; where left out, "cls" for dense models whose first blocks run per frame (as image
            weights do), else "mean".
        drop_rate: dropout before the head.
        drop_path_rate: stochastic depth of the last block.
        layer_scale_init: start value of the gains in generation; None = no gains.

    Raises:
        ValueError: an option out of its range, or options that do not go together.

    Source: Touvron et al. 2021 (DeiT); STViT (arXiv:2303.08685); DESIGN section 3.
    """
    input_size, patch_sizes = _pair("image_size", image_size), _pair("patch_size", patch_size)
    if video:
        input_size = (whole_number("num_frames", num_frames), *input_size)
        patch_sizes = (whole_number("tubelet_size", tubelet_size), *patch_sizes)
    schedule = deit_schedule(depth=depth, base_attention=base_attention, generate_at=generate_at, reducer=reducer)
    return DeiT(
        input_size=input_size,
        patch_size=patch_sizes,
        in_channels=in_channels,
        num_classes=num_classes,
        embed_dim=embed_dim,
        num_heads=num_heads,
        schedule=schedule,
        token_grid=_token_grid(image_token_grid(input_size, patch_sizes), reducer=reducer, num_tokens=num_tokens),
        pool=("cls" if reducer == "none" and base_attention == "frame" else "mean") if pool is None else pool,
        mlp_ratio=mlp_ratio,
        qkv_bias=qkv_bias,
        drop_rate=drop_rate,
        drop_path_rate=drop_path_rate,
        layer_scale_init=layer_scale_init,
    )


def _token_grid(image_grid: TokenGrid, *, reducer: str, num_tokens: int | Sequence[int] | None) -> TokenGrid | None:
    """The semantic tokens' grid; None for a dense model, which has none."""
    if reducer != "none":
        default = 64 if len(image_grid.sizes) == 3 else 16
        return resolve_token_grid(default if num_tokens is None else num_tokens, image_grid)
    if num_tokens is not None:
        raise ValueError(f"num_tokens={num_tokens!r} has no meaning for a dense model; leave it out or use stvit_")
    return None


def _pair(name: str, size: int | Sequence[int]) -> tuple[int, ...]:
    """One number for both sides, or (height, width) as given."""
    if is_whole(size):
        return (whole_number(name, size),) * 2
    if not is_list(size) or len(size) != 2:
        raise ValueError(f"{name}={size!r} is not possible; give one whole number for both sides, or (height, width)")
    return whole_numbers(name, size)
