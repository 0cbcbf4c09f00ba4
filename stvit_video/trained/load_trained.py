"""`stvit_video.load(path)`: a checkpoint or a bundle in use, whatever it was trained for.

A bundle is loaded without torch, which only checkpoints need.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from stvit_video.bundles.bundle_choices import refuse_fixed
from stvit_video.bundles.bundle_description import is_bundle
from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.utils.optional import load_optional

__all__ = ["load_trained"]


def load_trained(ckpt_path: str | Path, *, device: str = "auto", **settings: Any) -> Any:
    """Load a checkpoint of stvit_video.train, an exported folder, or a bundle of stvit_video.export.

    Args:
        ckpt_path: the file or folder.
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name. A bundle runs on the CPU.
        settings: of `load_recognizer` where the checkpoint labels videos, of `load_trained_detector` where it finds
            objects, of `load_trained_segmenter` where it labels pixels, of `load_bundle` for a bundle; one that is left
            out is as the model was trained or exported.

    Returns:
        A `Recognizer`, a `TrainedDetector`, a `TrainedSegmenter` or a `BundleRecognizer`.

    Raises:
        CheckpointError: the file can't be read, is no checkpoint of ours, or its model can't be built here.
        BundleError: the bundle is damaged, or this machine can't run it.
        MissingLibraryError: the runtime of the bundle is not installed, or torch for a checkpoint.
        ValueError: a setting that such a checkpoint or bundle does not take, or a value out of its range.
    """
    if isinstance(ckpt_path, (str, Path)) and is_bundle(ckpt_path):
        refuse_fixed({**settings, "device": device})
        _check_names(settings, load_bundle, "bundle")
        return load_bundle(ckpt_path, **settings)
    load_optional("torch", needed_for="a checkpoint", install="pip install stvit-video")
    from stvit_video.trained.checkpoint_kinds import kind_of_checkpoint

    kind = kind_of_checkpoint(ckpt_path)
    _check_names(settings, kind.load, f"checkpoint that {kind.does}")
    return kind.load(ckpt_path, device=device, **settings)


def _check_names(settings: dict[str, Any], load: Callable[..., Any], what: str) -> None:
    parameters = signature(load).parameters.items()
    known = [name for name, one in parameters if one.kind is Parameter.KEYWORD_ONLY]
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(f"{', '.join(unknown)}: no setting for a {what}; it takes {', '.join(known)}")
