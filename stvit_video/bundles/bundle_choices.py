"""What can be chosen when a bundle is used: how a video is seen. What its graph fixes is refused, with the way out."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from stvit_video.bundles.bundle_folder import Bundle
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.layers.numbers import whole_number

USE_CHECKPOINT = "use the checkpoint in place of the bundle"
FIXED = {  # settings of a checkpoint that a graph can't take, and what to do
    **dict.fromkeys(
        ("gmacs", "clips_per_second", "latency_ms"), "export again with num_tokens= or generate_at= for another cost"
    ),
    "features": f"the graph gives logits alone: {USE_CHECKPOINT}",
}


def refuse_other_graph(bundle: Bundle, given: Mapping[str, Any]) -> None:
    """Raise where the graph of a bundle has another number of frames or tokens, place or crop than is asked for.

    Args:
        bundle: what the folder says.
        given: "num_frames", "crop_size", "num_tokens" and "generate_at"; None = not given.

    Raises:
        ValueError: it has.
    """
    sizes = bundle.preprocessing
    own = {
        "num_frames": sizes.num_frames,
        "crop_size": sizes.crop_size,
        "num_tokens": bundle.num_tokens,
        "generate_at": bundle.generate_at,
    }
    for name, has in own.items():
        value = given.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != has:
            raise ValueError(
                f"{name}={_words(value)} does not fit the bundle, whose graph has {name}={_words(has)}; leave it out, "
                f"or export the checkpoint again with {name}={_words(value)}"
            )


def _words(value: Any) -> str:
    """A value as a command line has it."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)


def refuse_fixed(given: Mapping[str, Any]) -> None:
    """Raise where a setting is given that no bundle takes, whatever its graph has.

    Args:
        given: settings by name; None or False = not given.

    Raises:
        ValueError: it is.
    """
    for name, way in FIXED.items():
        if given.get(name):
            raise ValueError(f"{name} can't be chosen with a bundle, whose graph is fixed; {way}")
    device = given.get("device") or "auto"
    if device not in ("auto", "cpu"):
        raise ValueError(
            f"device={device} is for checkpoints, a bundle runs on the CPU; leave it out, or {USE_CHECKPOINT}"
        )


def choose_views(
    bundle: Bundle,
    *,
    protocol: str | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    short_side: int | None = None,
    crop_size: int | None = None,
) -> tuple[TestProtocol, Preprocessing]:
    """How a video is seen; what is None is as the bundle says.

    Args:
        bundle: its graph takes `input_size`.
        protocol: a name from `stvit_video.data.sampling.protocols`; what this protocol says then counts in place of the
            bundle's number of clips and crops, average and short side.
        num_clips: clips of a video.
        num_crops: crops of a clip, 1 or 3.
        average: how the views' scores combine, "prob" or "logit".
        num_frames: frames of a clip; another number than the graph's is refused.
        frame_stride: distance between two frames of a clip, in frames of the video.
        short_side: of a frame before cropping, in pixels.
        crop_size: in pixels; another than the graph's is refused.

    Raises:
        ValueError: a value is out of range, or would change the size of what the graph takes.
    """
    for name, value in (("frame_stride", frame_stride), ("short_side", short_side)):
        if value is not None:
            whole_number(name, value)
    stored = bundle.preprocessing
    refuse_other_graph(bundle, {"num_frames": num_frames, "crop_size": crop_size})
    said: Mapping[str, Any] = bundle.protocol if protocol is None else {"name": protocol}
    views: dict[str, Any] = {"num_clips": num_clips, "num_crops": num_crops, "average": average}
    chosen = TestProtocol.named(
        said["name"], **{name: said.get(name) if value is None else value for name, value in views.items()}
    )
    named = find_protocol(chosen.name)
    if protocol not in (None, bundle.protocol["name"]):
        wanted = named.preprocessing(stored, num_crops=chosen.num_crops).crop_size
        if wanted != stored.crop_size:
            raise ValueError(
                f"protocol={protocol} has crops of {wanted} pixels, and the bundle's graph takes {stored.crop_size}; "
                f"choose another protocol, or {USE_CHECKPOINT}"
            )
    if protocol is not None or chosen.num_crops != bundle.protocol["num_crops"]:
        stored = named.preprocessing(stored, num_crops=chosen.num_crops, crop_size=stored.crop_size)
    return chosen, dataclasses.replace(
        stored,
        frame_stride=stored.frame_stride if frame_stride is None else frame_stride,
        short_side=stored.short_side if short_side is None else short_side,
    )
