"""The models of the page, from the paths that a command line gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stvit_video.bundles.bundle_description import is_bundle
from stvit_video.bundles.bundle_recognizer import BundleRecognizer
from stvit_video.trained.load_trained import load_trained
from stvit_video.webdemo.bundle_model import BundleModel
from stvit_video.webdemo.demo_model import DemoModel

__all__ = ["load_models"]


def load_models(paths: Sequence[Path], *, device: str = "auto", num_threads: int | None = None) -> list[DemoModel]:
    """Load checkpoints and bundles that label videos.

    Args:
        paths: of each.
        device: of checkpoints.
        num_threads: CPU threads that run a model; None = as many as its library takes.

    Raises:
        CheckpointError, BundleError, MissingLibraryError: as `load_trained`.
        ValueError: no path of a checkpoint or bundle, or one that finds objects or labels pixels.
    """
    return [_load(path, device=device, num_threads=num_threads) for path in paths]


def _load(path: Path, *, device: str, num_threads: int | None) -> DemoModel:
    if is_bundle(path):
        settings: dict[str, Any] = {} if num_threads is None else {"num_threads": num_threads}
        bundle = load_trained(path, **settings)
        _refuse_others(bundle, BundleRecognizer, path)
        return BundleModel(bundle)
    trained = load_trained(path, device=device)
    from stvit_video.inference.recognizer import Recognizer
    from stvit_video.webdemo.checkpoint_model import CheckpointModel

    _refuse_others(trained, Recognizer, path)
    if num_threads is not None:
        import torch

        torch.set_num_threads(num_threads)
    return CheckpointModel(trained, name=str(path))


def _refuse_others(trained: object, wanted: type, path: Path) -> None:
    if not isinstance(trained, wanted):
        raise ValueError(
            f"{path} is a {type(trained).__name__}, and the demo shows models that label videos; for objects and label "
            "maps in pictures and videos run python -m stvit_video.predict ckpt_path=... FILE"
        )
