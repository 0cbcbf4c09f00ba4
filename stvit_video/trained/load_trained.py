"""`stvit_video.load(path)`: a checkpoint or a bundle in use, whatever it was trained for.

A bundle is loaded without torch, which only checkpoints need.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from stvit_video.bundles.bundle_choices import refuse_fixed
from stvit_video.bundles.bundle_description import bundles_in, is_bundle
from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.utils.known_folders import checkpoint_of_run
from stvit_video.utils.optional import INSTALL_PACKAGE, load_optional

__all__ = ["load_trained"]

GIVE = "give the folder of a bundle or of export_run, or a .ckpt file"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "*.index.json")  # in a folder that a checkpoint can be
STARTS = (b"PK", b"\x80\x02")  # of files of torch.save, of now and of before 1.6


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
        ValueError: no path of a checkpoint or bundle, a setting that it does not take, or a value out of its range.
    """
    _require_model(ckpt_path)
    if is_bundle(ckpt_path):
        refuse_fixed({**settings, "device": device})
        _check_names(settings, load_bundle, "bundle")
        return load_bundle(ckpt_path, **settings)
    load_optional("torch", needed_for="a checkpoint", install=INSTALL_PACKAGE)
    from stvit_video.trained.checkpoint_kinds import kind_of_checkpoint

    kind = kind_of_checkpoint(ckpt_path)
    _check_names(settings, kind.load, f"checkpoint that {kind.does}")
    return kind.load(ckpt_path, device=device, **settings)


def _require_model(given: object) -> None:
    """Raise where a path can be neither a checkpoint nor a bundle; torch, which reads checkpoints, is not needed."""
    if not isinstance(given, (str, Path)) or not str(given):
        raise ValueError(f"ckpt_path={given!r} is no path; {GIVE}")
    path = Path(given)
    if not path.exists():
        raise ValueError(f"there is no {str(path)!r}; {GIVE}")
    if path.is_file():
        if is_bundle(path.parent):
            raise ValueError(f"{str(path)!r} is a file of a bundle; give its folder, {str(path.parent)!r}")
        if path.suffix != ".safetensors" and not _starts_as_checkpoint(path):
            raise ValueError(f"{str(path)!r} is no checkpoint, which torch.save writes; {GIVE}")
    elif not is_bundle(path) and not any(any(path.glob(name)) for name in WEIGHTS):
        checkpoint = checkpoint_of_run(path)
        if checkpoint is None:
            raise ValueError(f"{str(path)!r} is a folder without bundle.json and without {WEIGHTS[0]}; {GIVE}")
        ways = " or ".join(repr(str(way)) for way in (checkpoint, *bundles_in(path)))
        raise ValueError(f"{str(path)!r} is the folder of a run; give {ways}")


def _starts_as_checkpoint(path: Path) -> bool:
    """Whether the first bytes of a file are those of a checkpoint; one that can't be read the loader refuses."""
    try:
        with path.open("rb") as file:
            return file.read(2) in STARTS
    except OSError:
        return True


def _check_names(settings: dict[str, Any], load: Callable[..., Any], what: str) -> None:
    parameters = signature(load).parameters.items()
    known = [name for name, one in parameters if one.kind is Parameter.KEYWORD_ONLY]
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(f"{', '.join(unknown)}: no setting for a {what}; it takes {', '.join(known)}")
