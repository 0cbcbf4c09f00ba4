"""Swin weights of other projects: told by their keys, renamed to ours; sizes come from keys and shapes alone."""

import re
from collections.abc import Mapping
from math import isqrt, prod

import torch
from torch import Tensor

from stvit_video.layers.key_spans import PADDING_RULES
from stvit_video.layers.window_attention import WINDOW_RULES
from stvit_video.models.checkpoints.format import Format
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.swin.openmmlab import as_microsoft, is_openmmlab

TABLE, INDEX = ".relative_position_bias_table", ".relative_position_index"
COMPUTED = (INDEX, ".attn_mask")  # what our model computes by itself
STEM = {"proj.0.c": "conv1", "proj.0.bn": "norm1", "proj.2.c": "conv2", "proj.2.bn": "norm2"}
UNIT = ("0", "1.layers.0", "1.layers.1", "2", "3", "4")  # ours for the blocks of a unit: window, semantic*2, local, ...
UNIT_MODULES = 5  # of ours in a unit; the generator is one of two layers
JOINED = (3, 4)  # blocks of a unit whose queries and keys are the same tokens: local and refine
FIRST_TABLE = "layers.0.blocks.0.attn" + TABLE
FIRST_MAP_NORM = "norm0.weight"
FIRST_MERGER, SECOND_MERGER = "layers.0.downsample.reduction.weight", "layers.1.downsample.reduction.weight"
PATCHES, STEM_PATCHES = "patch_embed.proj.weight", "patch_embed.proj.0.c.weight"


def window_of(rows: int, index: Tensor | None, *, num_axes: int) -> tuple[int, ...]:
    """The window that a flat table of biases is for.

    Args:
        rows: of the table, the product of 2 w - 1 over the axes.
        index: (N, N) or flat, the row of the table for every pair of cells; None = not known, and the window is as
            large along every axis.
        num_axes: of the window.

    Returns:
        Cells along each axis.

    Raises:
        CheckpointError: no window has that table.
    """
    if index is None:
        side = round(rows ** (1 / num_axes))
        window = ((side + 1) // 2,) * num_axes
    else:
        window = _window_of_index(index, num_axes)
    if prod(2 * size - 1 for size in window) != rows:
        known = "its index" if index is not None else "a window of equal sides, and there is no index"
        raise CheckpointError(
            f"a table of {rows} relative positions does not fit {known}; give a checkpoint with the "
            f"relative_position_index beside its tables"
        )
    return window


def _window_of_index(index: Tensor, num_axes: int) -> tuple[int, ...]:
    """Read a window off the first row of its index: a step along an axis costs the offsets of all axes behind it.

    An index does not tell an axis of one cell from none: such axes count as the first ones.
    """
    num_cells = isqrt(index.numel())
    first = index.flatten()[:num_cells].tolist()
    steps = [first[0] - row for row in first]  # 0, 1, 2, ... along the last axis
    window: tuple[int, ...] = ()
    cells = offsets = 1  # of the axes read so far
    for _ in range(num_axes - 1):
        size = 1
        while size * cells < num_cells and steps[size * cells] == size * offsets:
            size += 1
        window = (size, *window)
        cells, offsets = cells * size, offsets * (2 * size - 1)
    return (num_cells // cells, *window)


def _tables(state: Mapping[str, Tensor], num_axes: int) -> dict[str, Tensor]:
    """Flat tables over relative positions as ours, under `bias_table`; without what a model computes by itself."""
    converted = {}
    for key, value in state.items():
        if key.endswith(TABLE):
            window = window_of(len(value), state.get(key.removesuffix(TABLE) + INDEX), num_axes=num_axes)
            table = value.reshape(1, *(2 * size - 1 for size in window), value.shape[-1])
            converted[key.removesuffix(TABLE) + ".bias_table"] = table
        elif not key.endswith(COMPUTED):
            converted[key] = value
    return converted


def _rule(name: str) -> dict[str, Tensor]:
    """How the windows of such weights are padded, cut and shifted, as our models keep it."""
    return {"window_rule": torch.tensor(WINDOW_RULES.index(name))}


def _map_norms(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`norm0` to `norms.0`: the norms of the maps of all levels, in weights of detectors."""
    return {re.sub(r"^norm(\d+)\.", r"norms.\1.", key): value for key, value in state.items()}


def _levels(state: Mapping[str, Tensor], *, merge_before: bool) -> dict[str, Tensor]:
    """`layers` to `levels`; a downsample counts to the level that it leads into.

    Args:
        merge_before: whether that is so already.
    """
    converted = {}
    for key, value in state.items():
        match = re.fullmatch(r"layers\.(\d+)\.(.+)", key)
        if match:
            behind = match[2].startswith("downsample.") and not merge_before
            key = f"levels.{int(match[1]) + int(behind)}.{match[2]}"
        converted[key] = value
    return converted


def convert_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm's Swin with our keys."""
    converted = _levels(_tables(state, num_axes=2), merge_before=True)
    renamed = {key.replace("head.fc.", "head."): value for key, value in converted.items()}
    return renamed | _rule("shift first")


def convert_microsoft(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Microsoft's Swin with our keys."""
    return _levels(_tables(state, num_axes=2), merge_before=False) | _rule("plain")


def convert_microsoft_maps(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone of Microsoft's detectors with our keys."""
    return convert_microsoft(_map_norms(state)) | _rule("whole windows")


def convert_openmmlab(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone of detectors and segmenters of OpenMMLab's libraries with our keys; or what they start from."""
    renamed = as_microsoft(state)
    return convert_microsoft_maps(renamed) if has_map_norms(state) else convert_microsoft(renamed)


def convert_video_swin(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The official Video Swin with our keys, the recogniser of mmaction or its backbone alone."""
    named = {key.removeprefix("backbone.").replace("cls_head.fc_cls.", "head."): value for key, value in state.items()}
    return _levels(_tables(named, num_axes=3), merge_before=False) | _rule("first cells")


def convert_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's Swin, over images or clips, with our keys."""
    num_axes = 3 if "patch_embed.proj.weight" in state else 2
    converted = {}
    for key, value in _tables(state, num_axes).items():
        converted[_torchvision_key(key, image=num_axes == 2)] = value
    return converted | _rule("first cells" if num_axes == 3 else "plain")


def _torchvision_key(key: str, *, image: bool) -> str:
    """`features` holds levels and mergers by turns, behind the patches' embedding in models of images."""
    match = re.fullmatch(r"features\.(\d+)\.(.+)", key)
    if not match:
        return key
    place, rest = int(match[1]) - int(image), match[2]
    if place < 0:
        return "patch_embed." + re.sub(r"^2\.", "norm.", re.sub(r"^0\.", "proj.", rest))
    if place % 2:
        return f"levels.{(place + 1) // 2}.downsample.{rest}"
    rest = rest.replace(".mlp.0.", ".mlp.fc1.").replace(".mlp.3.", ".mlp.fc2.")
    return f"levels.{place // 2}.blocks.{rest}"


def convert_stvit_r(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' STViT-R for Swin with the keys of our stvit_r_ models."""
    converted = {}
    for key, value in convert_microsoft(state).items():
        key = re.sub(r"\.layer_scale_([12])$", r".ls\1.gamma", key)
        for theirs, ours in STEM.items():
            key = key.replace(f"patch_embed.{theirs}.", f"patch_embed.{ours}.")
        converted[key] = value
    return _units(converted)


def convert_stvit_r_maps(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone of the authors' detectors with the keys of our stvit_r_ models that have `recover_window`."""
    rule = {"padding_rule": torch.tensor(PADDING_RULES.index("released detector"))}
    return convert_stvit_r(_map_norms(state)) | _rule("whole windows") | rule


def _units(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Levels with semantic tokens under the names of our units; all else stays as it is."""
    renamed = {}
    places = _places(state)
    for key, value in state.items():
        level, _, rest = key.partition(".blocks.")
        block, _, name = rest.partition(".")
        unit, place = places.get((level, block), (0, 0))
        if (level, block) in places:
            first, _, layer = UNIT[place].partition(".")
            key = ".".join(filter(None, [level, "blocks", str(unit * UNIT_MODULES + int(first)), layer, name]))
        if place in JOINED and name.startswith("attn.q."):
            value = torch.cat([value, state[f"{level}.blocks.{block}.attn.kv.{name.removeprefix('attn.q.')}"]])
            key = key.replace(".attn.q.", ".attn.qkv.")
        if key.endswith(".semantic_token2") and isqrt(value.shape[1]) ** 2 == value.shape[1]:
            value = value.unflatten(1, (isqrt(value.shape[1]), -1))  # (1, h, w, C), rows one after the other
            key = key.replace(".semantic_token2", ".blocks.1.centres")
        if not (place in JOINED and name.startswith("attn.kv.")):
            renamed[key] = value
    return renamed


def _places(state: Mapping[str, Tensor]) -> dict[tuple[str, str], tuple[int, int]]:
    """The unit of every block of levels with semantic tokens, and its place there; a window block begins a unit.

    Raises:
        CheckpointError: blocks that make up no units.
    """
    places = {}
    blocks = {tuple(key.split(".")[:4]) for key in state if ".blocks." in key}
    with_tokens = {block[1] for block in blocks if ".".join(block) + ".attn.kv.weight" in state}
    unit, place, last = -1, 0, ""
    for prefix, level, _, block in sorted(blocks, key=lambda names: (int(names[1]), int(names[3]))):
        if level not in with_tokens:
            continue
        if level != last:
            unit, last = -1, level
        starts = f"{prefix}.{level}.blocks.{block}.attn.qkv.weight" in state
        unit, place = (unit + 1, 0) if starts else (unit, place + 1)
        if unit < 0 or place >= len(UNIT):
            raise CheckpointError(
                f"block {block} of level {level} is in no unit of STViT-R: a unit is a window block (attn.qkv) and "
                f"{len(UNIT) - 1} of semantic tokens (attn.q, attn.kv) behind it"
            )
        places[f"{prefix}.{level}", block] = (unit, place)
    return places


def _num_axes(state: Mapping[str, Tensor], key: str) -> int:
    """Axes of the patches that a convolution's weight embeds; 0 where there is no such weight."""
    return state[key].ndim - 2 if key in state else 0


def is_timm(state: Mapping[str, Tensor]) -> bool:
    """Whether the mergers count to the level they lead into: there is one in the second level, none in the first."""
    return FIRST_TABLE in state and SECOND_MERGER in state and FIRST_MERGER not in state


def is_stvit_r(state: Mapping[str, Tensor]) -> bool:
    """Whether there are convolutions in front, or blocks that ask with one set of tokens and look at another."""
    cross = any(key.startswith("layers.") and key.endswith(".attn.kv.weight") for key in state)
    return FIRST_TABLE in state and (cross or STEM_PATCHES in state)


def has_map_norms(state: Mapping[str, Tensor]) -> bool:
    """Whether every level has a norm of its own, as in the backbones of detectors."""
    return FIRST_MAP_NORM in state


def is_microsoft(state: Mapping[str, Tensor]) -> bool:
    """Whether the mergers count to the level in front of them, over patches of images."""
    return all(key in state for key in (FIRST_TABLE, FIRST_MERGER)) and _num_axes(state, PATCHES) == 2


def is_video_swin(state: Mapping[str, Tensor]) -> bool:
    """The same over tubelets, with or without a recogniser around it."""
    named = {key.removeprefix("backbone."): value for key, value in state.items()}
    return all(key in named for key in (FIRST_TABLE, FIRST_MERGER)) and _num_axes(named, PATCHES) == 3


def is_torchvision(state: Mapping[str, Tensor]) -> bool:
    """Whether levels and mergers are `features`, over patches or tubelets, with tables of biases (not Swin V2)."""
    image = "features.1.0.attn" + TABLE in state and _num_axes(state, "features.0.0.weight") == 2
    return image or ("features.0.0.attn" + TABLE in state and _num_axes(state, PATCHES) == 3)


FORMATS: tuple[Format, ...] = (
    Format("timm Swin", is_timm, convert_timm),
    Format("the authors' STViT-R", lambda s: is_stvit_r(s) and not has_map_norms(s), convert_stvit_r),
    Format("the authors' STViT-R detector", lambda s: is_stvit_r(s) and has_map_norms(s), convert_stvit_r_maps),
    Format("Microsoft Swin", lambda s: is_microsoft(s) and not has_map_norms(s), convert_microsoft),
    Format("Microsoft Swin detector", lambda s: is_microsoft(s) and has_map_norms(s), convert_microsoft_maps),
    Format("OpenMMLab's Swin", is_openmmlab, convert_openmmlab),
    Format("official Video Swin", is_video_swin, convert_video_swin),
    Format("torchvision Swin", is_torchvision, convert_torchvision),
)
