"""The labelled videos of a checkpoint: the validation data of the run that wrote it, or others that are named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.data.manifests.faults import ManifestError, UnknownLabelError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.factories.layout_settings import path_names
from stvit_video.factories.manifests import build_evaluated
from stvit_video.models.checkpoints.state_dict import shorten
from stvit_video.settings.evaluate_settings import EvaluatedData
from stvit_video.utils.addresses import is_address


def choose_data(stored: Mapping[str, Any], given: EvaluatedData) -> dict[str, Any]:
    """The `data` settings to evaluate with: those given, or the training run's with those given in place of its own.

    Args:
        stored: the `data` settings of the training run.
        given: without a source, `root` is where the training run's data are now.

    Raises:
        ValueError: `val` or `val_videos` without a source, `label_separator` for other data than a csv.
    """
    if given.source is None and (given.val or given.val_videos):
        raise ValueError("data.val and data.val_videos need data.source, for example data.source=csv")
    kind = stored["source"] if given.source is None else given.source
    separator = given.label_separator
    if separator is not None and kind != "csv":
        raise ValueError(f"data.label_separator={separator!r} is for csv data, not for {kind}; leave it out")
    if kind == "csv" and separator is None:
        separator = stored.get("label_separator")
    chosen = {key: value for key, value in given.plain().items() if value is not None} | {"source": kind}
    if separator is not None:
        chosen["label_separator"] = separator
    if given.source is None:
        moved = {
            key: _moved(stored[key], old_root=stored.get("root"), new_root=given.root)
            for key in path_names()
            if given.root is not None and stored.get(key)
        }
        chosen = {**stored, **moved, **chosen}
    chosen.pop("allow_addresses", None)  # a checkpoint can't allow it
    return chosen | ({"allow_addresses": True} if given.allow_addresses else {})


def _moved(path: str, *, old_root: str | None, new_root: str) -> str:
    """Where a list or folder of the training run is, now that its data are in `new_root`."""
    if is_address(path):
        return path
    here = Path(path)
    if old_root and here.is_relative_to(old_root):
        there = Path(new_root, here.relative_to(old_root))
        return str(here if here.exists() and not there.exists() else there)
    return str(here if here.exists() or not here.is_absolute() else Path(new_root, here.name))


def labelled_manifest(
    data: Mapping[str, Any],
    classes: tuple[str, ...],
    *,
    stored: bool = False,
    held_back: tuple[str, ...] | None = None,
) -> Manifest:
    """The videos to evaluate, their labels as positions in the checkpoint's class list.

    Args:
        data: from `choose_data`.
        classes: label names of the checkpoint.
        stored: True = the data are those of the training run.
        held_back: names of the validation videos of the training run, where it divided a folder itself.

    Raises:
        UnknownLabelError: the manifest has a class that the checkpoint lacks.
        ManifestError: the manifest is unusable for another reason.
        ValueError: settings that don't fit together.
    """
    try:
        return build_evaluated(data, classes=classes, held_back=held_back if stored else None)
    except UnknownLabelError as error:
        raise UnknownLabelError(
            f"{error}\n  the checkpoint knows {len(classes)}: {shorten(classes, limit=12)}; use data with its labels"
        ) from error
    except ManifestError as error:
        if not stored:
            raise
        raise ManifestError(
            f"{error}\n  these are the validation data of the training run; if they have moved, give their folder "
            "as data.root=/path, or evaluate others with data.source=csv data.val=my.csv"
        ) from error
