"""Build the model of a row, at the size that is asked for or, where it can't take that, at its own."""

import torch
from torch import nn

from stvit_video.model_benchmark.model_row import IN_CHANNELS, NUM_CLASSES, ModelRow
from stvit_video.model_benchmark.peer_rows import PEERS
from stvit_video.models import create_model
from stvit_video.utils.optional import MissingLibraryError

SEED = 0
MAX_REASON = 120  # characters of another library's message


def build_row(row: ModelRow, input_size: tuple[int, ...]) -> nn.Module:
    """The model of a row, with random weights.

    Args:
        row: which model.
        input_size: (T, H, W) or (H, W); models of ours take that of their options.

    Returns:
        A module from clips (B, C, T, H, W), or images (B, C, H, W), to logits (B, num_classes).

    Raises:
        MissingLibraryError: its library is not installed.
        ValueError: an option that the model can't take; a library may raise others for its own.
    """
    torch.manual_seed(SEED)
    if row.is_ours:
        return create_model(row.name, **{"num_classes": NUM_CLASSES[row.is_video], **row.options})
    return PEERS[row.name].build(input_size, NUM_CLASSES[row.is_video])


def choose_input(row: ModelRow) -> tuple[tuple[int, ...], str]:
    """The input that a row is measured with, and why it is not the one asked for ("" = it is).

    A peer is tried on torch's meta device, where a forward pass costs next to nothing.

    Raises:
        MissingLibraryError: its library is not installed.
    """
    if row.own_input in (None, row.input_size):
        return row.input_size, ""
    assert row.own_input is not None
    try:
        _try_on_meta(row)
    except MissingLibraryError:
        raise
    except Exception as error:  # whatever another library says of a size that it can't take
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:MAX_REASON]
        return row.own_input, f"measured at its own input, because it does not take {sign(row.input_size)} ({reason})"
    return row.input_size, ""


def load_libraries(row: ModelRow, input_size: tuple[int, ...]) -> None:
    """Import what a peer is built of, by building it without memory for weights; all of ours is loaded already."""
    if not row.is_ours:
        with torch.device("meta"):
            build_row(row, input_size)


def sign(input_size: tuple[int, ...]) -> str:
    """A size as a table has it: 16x224x224."""
    return "x".join(map(str, input_size))


def _try_on_meta(row: ModelRow) -> None:
    with torch.device("meta"), torch.no_grad():
        model = build_row(row, row.input_size).eval()
        logits = model(torch.zeros(1, IN_CHANNELS, *row.input_size))
    if logits.shape != (1, NUM_CLASSES[row.is_video]):
        raise ValueError(f"it gives {tuple(logits.shape)} in place of logits")
