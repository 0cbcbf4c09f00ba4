"""The options of a windowed STViT-R, the network of the released detectors: which go together."""

from collections.abc import Mapping
from typing import Any

from stvit_video.layers.windows import check_key_window
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.reducers.token_reducer import tokens_per_window
from stvit_video.tokens.slot import TokenSlot

WITH_CENTRES = "semantic"  # the reducer whose second layer has windows
RELEASED_WINDOWS: dict[str, Any] = {  # options of the backbone of the released detectors, beside those of stvit_r_swin_
    "key_window": (14, 14),
    "center_window": (21, 21),
    "recover_window": (27, 27),
    "generate_shortcut": True,
    "block_layer_scale": None,
}


def check_windowed(windowed: Mapping[str, Any], *, video: bool, recover: bool, reducer: str) -> None:
    """Raise unless the options of windows go with the model and with one another.

    Args:
        windowed: `center_window` and `recover_window`, None where left out.
        video: whether the input are clips.
        recover: whether the image tokens come back.
        reducer: what fills the slot.

    Raises:
        ValueError: they don't.
    """
    given = {name: value for name, value in windowed.items() if value is not None}
    missing = [name for name in windowed if name not in given]
    for name, value in given.items():
        if video:
            raise ValueError(f"{name}={value!r} is for images; leave it out for clips, whose tokens see the whole clip")
        if not recover:
            raise ValueError(
                f"{name}={value!r} needs image tokens that come back; use a stvit_r_swin_ model, or leave it out"
            )
    if reducer == WITH_CENTRES and given and missing:
        name, value = next(iter(given.items()))
        raise ValueError(
            f"{name}={value!r} needs {missing[0]} too: generation and recovery have windows together; "
            f"give both, such as center_window=(21, 21) and recover_window=(27, 27), or leave both out"
        )
    if reducer != WITH_CENTRES and "center_window" in given:
        raise ValueError(
            f"center_window={given['center_window']!r} is of reducer={WITH_CENTRES!r} alone, not of {reducer!r}; leave "
            f"it out and give recover_window alone"
        )
    if given and not REDUCERS[reducer].runs_at_any_count:
        raise ValueError(
            f"recover_window={given['recover_window']!r} leaves fewer tokens in windows at the picture's end, and "
            f"reducer={reducer!r} leaves a fixed number; leave it out, or use reducer={WITH_CENTRES}"
        )


def check_recover_window(slot: TokenSlot | None) -> None:
    """Raise unless the windows of recovery cover the tokens of a window.

    Raises:
        ValueError: they don't.
    """
    if slot is None or slot.recover_window is None or slot.window is None:
        return
    tokens = tokens_per_window(slot.token_grid.sizes, grid=slot.image_grid.sizes, window=slot.window)
    check_key_window(tokens, slot.recover_window, name="recover_window")
