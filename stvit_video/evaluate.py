"""`python -m stvit_video.evaluate ckpt_path=run/best.ckpt protocol=videoswin`: multi-view accuracy of a checkpoint.

By default on the validation data of the run that wrote it; data.source=... names others (conf/evaluate.yaml).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from stvit_video import __version__
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.data.manifests.faults import ManifestError, UnknownLabelError
from stvit_video.data.manifests.manifest import Manifest, require_one_frame
from stvit_video.evaluation.distributed import ProcessFailedError, evaluate_distributed, process_group
from stvit_video.evaluation.ledger.eval_ledger import LedgerInfo, make_ledger
from stvit_video.evaluation.ledger.parquet import write_ledger
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.evaluation.tables import describe_unread
from stvit_video.factories.manifests import build_manifest
from stvit_video.inference.recognizer import Recognizer, load_recognizer, make_output_dir
from stvit_video.inference.scoring import USER_ERRORS, evaluate_manifest
from stvit_video.models.checkpoints.state_dict import shorten
from stvit_video.runs.report import report_evaluation
from stvit_video.settings.paths import CONF_DIR, PATHS
from stvit_video.sweeps.launch import run_with_sweeps
from stvit_video.utils.addresses import is_address
from stvit_video.utils.provenance import current_commit


def choose_data(
    stored: Mapping[str, Any],
    *,
    source: str | None,
    val: str | None,
    root: str | None,
    val_videos: str | None,
    label_separator: str | None = None,
    allow_addresses: bool = False,
) -> dict[str, Any]:
    """The `data` settings to evaluate with: those given, or the training run's.

    Args:
        stored: the `data` settings of the training run.
        source: kind of the data, e.g. "csv", see `stvit_video.factories.data`; None = the training run's data.
        val: with a source: its manifest file (csv, kinetics) or its folder of class folders (folder).
        root: where relative paths start (csv), the folder of val/ (folder) or of val.csv and val/ (kinetics);
            without a source: where the training run's data are now.
        val_videos: kinetics: the folder of the videos.
        label_separator: csv: what stands between the labels of a video; None = as in the training.
        allow_addresses: True = shards may be read from an address; a checkpoint can't allow it.

    Raises:
        ValueError: `val` or `val_videos` without a source, `label_separator` for other data than a csv.
    """
    if source is None and (val or val_videos):
        raise ValueError("data.val and data.val_videos need data.source, for example data.source=csv")
    kind = stored["source"] if source is None else source
    if label_separator is not None and kind != "csv":
        raise ValueError(f"data.label_separator={label_separator!r} is for csv data, not for {kind}; leave it out")
    if kind == "csv" and label_separator is None:
        label_separator = stored.get("label_separator")
    given = {"source": source, "val": val, "root": root, "val_videos": val_videos, "label_separator": label_separator}
    settings: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if source is None:
        moved = {
            key: _moved(stored[key], old_root=stored.get("root"), new_root=root)
            for key in PATHS
            if root is not None and stored.get(key)
        }
        settings = {**stored, **moved, **settings}
    settings.pop("allow_addresses", None)
    if allow_addresses:
        settings["allow_addresses"] = True
    return settings | {"missing": "keep"}  # what is missing is reported in the result, never left out


def _moved(path: str, *, old_root: str | None, new_root: str) -> str:
    """Where a list or folder of the training run is, now that its data are in `new_root`."""
    if is_address(path):
        return path
    here = Path(path)
    if old_root and here.is_relative_to(old_root):
        there = Path(new_root, here.relative_to(old_root))
        return str(here if here.exists() and not there.exists() else there)
    return str(here if here.exists() or not here.is_absolute() else Path(new_root, here.name))


def labelled_manifest(data: Mapping[str, Any], classes: tuple[str, ...], *, stored: bool = False) -> Manifest:
    """The videos to evaluate, their labels as positions in the checkpoint's class list.

    Args:
        data: from `choose_data`.
        classes: label names of the checkpoint.
        stored: True = the data are those of the training run, for the message.

    Raises:
        UnknownLabelError: the manifest has a class that the checkpoint lacks.
        ManifestError: the manifest is unusable for another reason.
        ValueError: settings that don't fit together.
    """
    try:
        return build_manifest(data, "val", classes=classes)
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


def evaluate(
    *,
    ckpt_path: str | Path,
    output_dir: Path,
    num_tokens: int | Sequence[int] | None = None,
    source: str | None = None,
    val: str | None = None,
    root: str | None = None,
    val_videos: str | None = None,
    label_separator: str | None = None,
    allow_addresses: bool = False,
    protocol: str | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    short_side: int | None = None,
    crop_size: int | None = None,
    device: str = "auto",
    precision: str | int = "32",
    batch_size: int = 4,
    max_views_per_forward: int = 16,
    num_workers: int = 0,
    backend: str = "auto",
) -> dict[str, Any]:
    """Evaluate a checkpoint, print the result line, write result.json, predictions.csv, confusion_matrix.png and the
    logits of every view, ledger.parquet. With several labels a video there is no confusion matrix.

    Started by torchrun, every process evaluates its share, each video exactly once, and the first writes the result.

    Args:
        output_dir: where these files go; made if it is missing.
        num_tokens: semantic tokens, a count or a grid; None = as the model was trained.
        source: with val, root, val_videos, label_separator, allow_addresses: see `choose_data`; None = the training's
            validation data.
        protocol: "videoswin", "videomae" ..., see `stvit_video.data.sampling.protocols`; None = the checkpoint's.
        num_clips: with num_crops, average, short_side and crop_size: None = as the protocol says.
        num_frames: with frame_stride: None = as the model was trained.
        precision: "32", "bf16" or "16"; 32 and 16 may be numbers.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        ValueError: CheckpointError, ManifestError, a setting out of range, or a folder that can't be written.
        NothingEvaluatedError: not one video could be read.
        NonFiniteLogitsError: the model gives NaN.
        ProcessFailedError: one of several processes failed or did not come.
    """
    recognizer = load_recognizer(
        ckpt_path,
        device=device,
        num_tokens=num_tokens,
        protocol=protocol,
        num_clips=num_clips,
        num_crops=num_crops,
        average=average,
        num_frames=num_frames,
        frame_stride=frame_stride,
        short_side=short_side,
        crop_size=crop_size,
    )
    data = choose_data(
        recognizer.config["data"],
        source=source,
        val=val,
        root=root,
        val_videos=val_videos,
        label_separator=label_separator,
        allow_addresses=allow_addresses,
    )
    manifest = labelled_manifest(data, recognizer.classes, stored=source is None)
    recognizer.require_labels_of(manifest)
    require_one_frame(manifest, num_frames=recognizer.preprocessing.num_frames)
    make_output_dir(output_dir)
    work = partial(
        evaluate_manifest,
        recognizer,
        manifest,
        batch_size=batch_size,
        num_workers=num_workers,
        backend=backend,
        max_views_per_forward=max_views_per_forward,
        precision=str(precision),
    )
    with process_group():
        result = evaluate_distributed(work, folder=output_dir)
    if result is None:
        return {}  # another process has the whole
    extra = {"ckpt_path": str(ckpt_path), "precision": str(precision)}
    summary = report_evaluation(recognizer, manifest, result, output_dir, extra=extra)
    save_ledger(recognizer, manifest, result, output_dir / "ledger.parquet")
    unread = describe_unread(result, table=output_dir / "predictions.csv")
    if unread:
        print(unread, file=sys.stderr)
    return summary


def save_ledger(recognizer: Recognizer, manifest: Manifest, result: MultiViewResult, path: Path) -> None:
    """Keep the logits of every view, from which `python -m stvit_video.ledger` computes other protocols.

    Raises:
        OSError: the file can't be written.
    """
    info = LedgerInfo(
        classes=recognizer.classes,
        model=recognizer.model_name,
        protocol=asdict(recognizer.protocol),
        preprocessing=recognizer.preprocessing.to_dict(),
        multi_label=recognizer.multi_label,
        commit=current_commit(),
        versions={"stvit_video": __version__, "torch": str(torch.__version__)},
    )
    video_ids, labels = zip(*((record.video_id, record.labels) for record in manifest.records), strict=True)
    write_ledger(make_ledger(result, video_ids=video_ids, labels=labels, info=info), path)


@hydra.main(version_base="1.3", config_path=CONF_DIR, config_name="evaluate")
def main(config: DictConfig) -> None:
    """Hydra's entry: the config's values become the arguments of `evaluate`."""
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    try:
        settings: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        settings.pop("sweep")
        if faults := unknown_faults(settings, config_name="evaluate"):
            raise ValueError("; ".join(faults))
        groups = {**settings.pop("data"), **settings.pop("model")}
        evaluate(**settings, **groups, output_dir=output_dir)
    except MissingMandatoryValue as error:
        key = error.full_key
        message = f"{key} is missing; give {key}={'run/best.ckpt' if key == 'ckpt_path' else 'VALUE'}"
    except (*USER_ERRORS, ProcessFailedError) as error:
        message = str(error)
    else:
        return
    if HydraConfig.get().mode == RunMode.MULTIRUN:  # leaving the process would end the other jobs of the sweep
        raise HydraException(message)
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    run_with_sweeps(main, module="stvit_video.evaluate", config_name="evaluate")
