"""Checkpoints of ours and of others, loaded strictly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from stvit_video import __version__
from stvit_video.models.checkpoints.convert import defaults, fit_state
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.fit import POSITIONS
from stvit_video.models.checkpoints.format import Format
from stvit_video.models.checkpoints.grids import PositionGrid, position_grid
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata, written_by
from stvit_video.models.checkpoints.state_dict import CheckpointError, check_keys, shorten, unwrapped
from stvit_video.models.checkpoints.unsupported import check_supported
from stvit_video.models.registry import FAMILIES, build_model, family_of, layer_groups

FORMATS = {known: family for family in FAMILIES.values() for known in family.formats}
BACKBONE = "backbone."  # beginning of keys, ours and those of mmdet and mmseg
OF_SEGMENTERS, OF_DETECTORS = ("map_head.", "decode_head."), ("neck.",)  # the same of what stands around it
Result = TypeVar("Result")


@dataclass(frozen=True)
class LoadReport:
    """What `load_checkpoint` did.

    Args:
        format: name of the format that was recognised.
        loaded: keys of the model whose values were taken as they are.
        inflated: keys whose values were spread from an image over the time of a clip.
        interpolated: keys of tables that were resized to the model's grid.
        new: keys that kept the model's fresh weights: of a head for other classes, or of a slot that a dense model
            has not; and gains of blocks that had none, which are 1 then.
        unused: keys of the checkpoint that the model has no place for, by design.
    """

    format: str
    loaded: tuple[str, ...]
    inflated: tuple[str, ...] = ()
    interpolated: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def __str__(self) -> str:
        lists = {
            "inflated": self.inflated,
            "interpolated": self.interpolated,
            "new": self.new,
            "unused": self.unused,
        }
        rest = "".join(f", {len(keys)} {word} ({shorten(keys)})" for word, keys in lists.items() if keys)
        return f"{self.format}: {len(self.loaded)} tensors loaded{rest}"


def model_from_checkpoint(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """The model of one of our checkpoints, with its weights, in eval mode.

    Args:
        path: a .ckpt file written by `stvit_video.train`, or a folder that `stvit_video.export_run` made of it.

    Returns:
        The model, and the checkpoint's metadata (see `checkpoint_metadata`).

    Raises:
        CheckpointError: the file can't be read, is not one of ours, or its model can't be built here.
    """
    content = read_checkpoint(path)
    metadata = check_metadata(content.get(METADATA_KEY), source=repr(str(path)) + _foreign_name(content))
    model = _described_model(metadata, source=repr(str(path)))
    check_weights(model, content)
    load_checkpoint(model, content)
    num_logits, num_classes = model.state_dict()["head.weight"].shape[0], len(metadata["classes"])
    if num_logits != num_classes:
        raise CheckpointError(
            f"{str(path)!r} names {num_classes} classes for {num_logits} logits; "
            f"give a file as stvit_video.train wrote it"
        )
    return model.eval(), metadata


def _described_model(metadata: Mapping[str, Any], *, source: str) -> nn.Module:
    """The model that checked metadata names, with fresh weights."""
    described = metadata["model"]
    try:
        return build_model(described["name"], **described["options"])
    except (ValueError, TypeError) as error:
        raise CheckpointError(
            f"the model of {source} can't be built: {error}; the file was written by stvit_video "
            f"{written_by(metadata)}, this is {__version__}"
        ) from error


def load_checkpoint(
    model: nn.Module, path_or_state_dict: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load weights into `model`: every tensor is accounted for in the report, or nothing is loaded.

    Takes our .ckpt files and state dicts, and those of timm (DeiT, Swin), torchvision (Swin, swin3d), transformers
    (ViT, DeiT, VideoMAE), VideoMAE's authors, Microsoft (Swin, Video Swin), STViT-R and CAS-ViT, told by their keys.
    Image weights are inflated to video, dense weights fill a semantic model; positions, biases and cluster centres over
    another grid are interpolated; a head for another number of classes stays new.

    Args:
        model: the model that receives the weights.
        path_or_state_dict: a file (.ckpt, .pt, .pth or .safetensors) or an exported folder, its content, or a state
            dict.
        new_head: whether the model's head stays as it is, for training on other classes.

    Returns:
        What was recognised, loaded, inflated, interpolated, left new and left unused.

    Raises:
        CheckpointError: the file can't be read, or its tensors are not this model's; the keys are named.
    """
    source = path_or_state_dict
    content = _dictionary(read_checkpoint(source) if isinstance(source, (str, Path)) else source)
    state = unwrapped(content)
    _check_alone(state)
    foreign = format_of(content)
    if foreign is None:
        name = f"stvit_video {'checkpoint' if METADATA_KEY in content else 'state dict'}"
        return _load(model, state, content, name=name, new_head=new_head)
    _check_family(foreign, model)
    state = _guarded(foreign.name, lambda: foreign.convert(state))
    headless = not any(key.startswith(layer_groups(model).heads) for key in state)
    positions = model.state_dict().get(POSITIONS)
    if foreign.positions and POSITIONS not in state and positions is not None:
        if (grid := position_grid(model)) is None or len(grid.sizes) != 3:
            raise CheckpointError(
                f"the positions of {foreign.name} are over all frames of a clip, the model's over single ones; "
                f"build it with base_attention='joint'"
            )
        state[POSITIONS] = foreign.positions(*positions.shape[1:])
    pretrained = headless and foreign.positions is not None  # whose features nobody has normed yet
    return _load(model, state, content, name=foreign.name, new_head=new_head or headless, new_norm=pretrained)


def format_of(content: Mapping[str, Any]) -> Format | None:
    """The format of weights of others; None = they may be ours.

    Args:
        content: of a checkpoint (`read_checkpoint`), or a state dict.

    Raises:
        CheckpointError: no dictionary of tensors, or they are of a known network that no model here is like.
    """
    state = unwrapped(content)
    if METADATA_KEY in content:
        return None
    if (foreign := next((known for known in FORMATS if known.matches(state)), None)) is None:
        check_supported(state)
    return foreign


def _check_alone(state: Mapping[str, Tensor]) -> None:
    """Raise where weights are of a detector or segmenter, of which the model would be a part."""
    if not any(key.startswith(BACKBONE) for key in state):
        return
    kinds = {"segmenter": (OF_SEGMENTERS, "semantic"), "detector": (OF_DETECTORS, "detection")}
    for kind, (parts, task) in kinds.items():
        if any(key.startswith(parts) for key in state):
            raise CheckpointError(
                f"the checkpoint holds the weights of a {kind}, and this model labels videos or pictures; give weights "
                f"of such a model, or start another {kind} from it (task={task} init_from=...)"
            )


def _check_family(foreign: Format, model: nn.Module) -> None:
    """Raise where weights are of another family than the model."""
    theirs, ours = FORMATS[foreign].name, family_of(model)
    if ours is not None and ours.name != theirs:
        raise CheckpointError(
            f"the checkpoint holds weights of {foreign.name}, which fit models with {theirs} in their name, not those "
            f"with {ours.name}; choose such a model, or give weights of {ours.name}"
        )


def _foreign_name(content: Mapping[str, Any]) -> str:
    """What a file without our metadata is, for a message; "" where nobody knows."""
    try:
        foreign = format_of(content)
    except CheckpointError as error:
        return f" ({error})"
    return "" if foreign is None else f" (weights of {foreign.name})"


def _load(
    model: nn.Module,
    state: dict[str, Tensor],
    content: Mapping[str, Any],
    *,
    name: str,
    new_head: bool,
    new_norm: bool = False,
) -> LoadReport:
    """Fit a state dict of our keys to the model, check that nothing is left over, and load it."""
    wanted, family = model.state_dict(), family_of(model)
    if family is not None and family.adapt_state is not None:
        state = family.adapt_state(model, state, name, new_head)
    grids = _position_grids(content, model)
    fit = _guarded(name, lambda: fit_state(state, model, new_head=new_head, **grids))
    if new_norm:
        fit.new += [key for key in wanted if key.startswith("norm.") and key not in fit.state]
    kept = {key: wanted[key] for key in fit.new} | defaults(fit.state, wanted)
    check_keys(kept | fit.state, wanted, **grids)
    model.load_state_dict(kept | fit.state)
    changed = {*fit.inflated, *fit.interpolated, *kept}
    return LoadReport(
        name,
        loaded=tuple(key for key in wanted if key not in changed),
        inflated=tuple(fit.inflated),
        interpolated=tuple(key for key in fit.interpolated if key not in fit.inflated),
        new=tuple(fit.new),
        unused=tuple(fit.unused),
    )


def _guarded(name: str, work: Callable[[], Result]) -> Result:
    """Do `work` on the tensors of a checkpoint, whose shapes are anybody's; what they break is the checkpoint's fault.

    Raises:
        CheckpointError: a tensor is of a shape that the format does not know.
    """
    try:
        return work()
    except CheckpointError:
        raise
    except (RuntimeError, TypeError, IndexError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint looks like {name}, but a tensor in it is of a shape that this format does not have "
            f"({error}); it is damaged or cut short: give a whole one"
        ) from error


def check_weights(model: nn.Module, content: Mapping[str, Any]) -> None:
    """Raise unless `load_checkpoint` could take `content` into `model` with no table interpolated; loads nothing.

    Args:
        model: the model that would receive the weights.
        content: of a checkpoint (`read_checkpoint`), or a state dict.

    Raises:
        CheckpointError: keys are missing, unused or of another shape; they are named.
    """
    check_keys(unwrapped(_dictionary(content)), model.state_dict(), **_position_grids(content, model))


def _dictionary(content: object) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise CheckpointError(f"a {type(content).__name__} is no checkpoint; give a path or a dictionary of tensors")
    return content


def _position_grids(content: Mapping[str, Any], model: nn.Module) -> dict[str, PositionGrid | None]:
    """The grids of a checkpoint's positions and of a model's; of a model without positions nobody asks for either."""
    now = position_grid(model)
    return {"grid_then": None if now is None else _stored_grid(content), "grid_now": now}


def _stored_grid(content: Mapping[str, Any]) -> PositionGrid | None:
    """The grid of a checkpoint's positions; None where its metadata tell none.

    Metadata of before there was `position_grid` tell it by their model, which is built without memory.
    """
    try:
        metadata = check_metadata(content.get(METADATA_KEY), source="the checkpoint")
        if "position_grid" in metadata:
            stored = metadata["position_grid"]
            return None if stored is None else PositionGrid(tuple(stored["sizes"]), stored["num_class_tokens"])
        with torch.random.fork_rng(devices=[]), torch.device("meta"):  # the caller's random numbers stay as they are
            return position_grid(_described_model(metadata, source="the checkpoint"))
    except CheckpointError:
        return None  # the weights alone may be all that is asked for; who needs the grid says that it is unknown
