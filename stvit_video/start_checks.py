"""All that can be wrong with a training and be known before any data is read, told together."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stvit_video.build import build_mixing, build_preprocessing, build_sampling, build_train_transform
from stvit_video.contradictions import contradictions
from stvit_video.known_settings import unknown_faults
from stvit_video.models.checkpoints import METADATA_KEY, read_checkpoint
from stvit_video.models.metadata import check_metadata
from stvit_video.models.weights import unwrapped
from stvit_video.optim_settings import weightless_model
from stvit_video.resume import MAY_MOVE, check_undamaged, checkpoint_faults, given_start, is_finished, other_settings
from stvit_video.setting_checks import Check, run_checks
from stvit_video.settings import chosen_protocol, type_faults
from stvit_video.sources import absolute_paths, find_manifest
from stvit_video.training.distillation import teacher_difference
from stvit_video.training.freezing import freeze_all_but
from stvit_video.viewing import Protocol

Settings = Mapping[str, Any]
COPIES_KEPT = 4  # last, previous and best, and the one being written
BYTES = {"64-true": 8, "64": 8, "16-true": 2, "bf16-true": 2}  # of a weight; else 4
PLACES = frozenset(("data", "data.source", *MAY_MOVE))
OTHER_FOLDER = "choose another folder with hydra.run.dir"


def check_start(settings: Settings, *, run_dir: Path) -> dict[str, Any]:
    """Raise unless a training can start, as far as that can be known without the data; reads and writes none of them.

    Args:
        settings: the resolved training configuration as plain values.
        run_dir: the folder of the run; it may be new, and is not made.

    Returns:
        The settings as config.yaml holds them: the protocol whole, paths absolute.

    Raises:
        ValueError: lists every fault of settings, files, devices and folder, a sentence each.
    """
    wrong = type_faults(settings)
    faults = [
        *unknown_faults(settings),
        *wrong.values(),
        *contradictions(settings, wrong),
        *run_checks(CHECKS, settings, wrong),
    ]
    used = dict(settings)
    if not wrong and not _protocol_faults(settings):
        protocol = asdict(Protocol.named(**chosen_protocol(settings)))
        used |= {"data": absolute_paths(settings["data"]), "protocol": protocol}
        faults += _resume_faults(used, run_dir)
    path = settings.get("ckpt_path")
    folder = given_start(path).run_dir if isinstance(path, str) and path else run_dir
    if wrong or path or not is_finished(folder, settings):
        faults += folder_faults(folder)
        faults += _place_faults(settings) if PLACES.isdisjoint(wrong) else []
        faults += run_checks([lambda given: _room_faults(given, folder)], settings, wrong)
    if faults:
        raise ValueError("; ".join(faults))
    return used


def look_into(path: str) -> dict[str, Any]:
    """As `read_checkpoint`, but where possible the tensors stay on the disk until they are used.

    Raises:
        CheckpointError: no such file, or no checkpoint that torch reads with `weights_only=True`.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # a folder, another format, or a fault that `read_checkpoint` has the words for
        return read_checkpoint(path)
    return content if isinstance(content, dict) else read_checkpoint(path)


def folder_faults(folder: Path) -> list[str]:
    """Why a run can't have its files in this folder; that is tried, and nothing is left behind.

    Args:
        folder: it may be new; then the nearest folder that is there is tried.
    """
    there = _nearest(folder)
    if not there.is_dir():
        return [f"{folder} can't be the folder of a run, {there} is no folder; {OTHER_FOLDER}"]
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x")
    except OSError as error:
        return [f"{there} can't be written ({error.strerror}); mend that, or {OTHER_FOLDER}"]
    return []


def room_fault(folder: Path, num_bytes: int) -> str:
    """Whether a disk can't take the checkpoints that a run keeps, in a sentence; "" = it can.

    Args:
        folder: of the run; checkpoints that lie there already are counted as room.
        num_bytes: of a checkpoint.
    """
    there = shutil.disk_usage(_nearest(folder)).free + sum(path.stat().st_size for path in folder.glob("*.ckpt"))
    if there >= COPIES_KEPT * num_bytes:
        return ""
    return (
        f"{folder} has room for {there / 1e9:.2f} GB of checkpoints, the run keeps {COPIES_KEPT} of "
        f"{num_bytes / 1e9:.2f} GB at a time; make room, or choose a folder on another disk with hydra.run.dir"
    )


def checkpoint_bytes(model: nn.Module, optim: Settings, *, precision: str = "32-true") -> int:
    """The size of a training's checkpoint: weights, their average, and what the optimizer keeps of those it trains.

    Args:
        model: frozen as it will be; it may be on the device "meta".
        optim: the `optim` settings.
        precision: as Lightning names it.
    """
    moments = 2 if optim["optimizer"] == "adamw" else int(optim["momentum"] > 0)
    sets = 1 if optim["ema_decay"] is None else 2
    num_trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    num_all = sum(tensor.numel() for tensor in model.state_dict().values())
    return BYTES.get(precision, 4) * (sets * num_all + moments * num_trained)


def _nearest(folder: Path) -> Path:
    """The path itself, or the nearest above it that is there."""
    path = folder.absolute()
    return next(place for place in (path, *path.parents) if os.path.exists(place))


def _told(work: Callable[[], object], *, name: str = "") -> list[str]:
    """What `work` says about its input, as a fault of the setting."""
    try:
        work()
    except ValueError as error:
        return [f"{name}: {error}" if name else str(error)]
    return []


def _protocol_faults(settings: Settings) -> list[str]:
    return _told(lambda: Protocol.named(**chosen_protocol(settings)), name="protocol")


def _place_faults(settings: Settings) -> list[str]:
    """Lists and folders of videos that are not given or not there."""
    faults = [fault for part in ("train", "val") for fault in _told(partial(find_manifest, settings["data"], part))]
    return list(dict.fromkeys(faults))


def _transform_faults(settings: Settings) -> list[str]:
    return _told(lambda: build_train_transform(settings["augment"], build_preprocessing(settings["data"])))


def _sampling_faults(settings: Settings) -> list[str]:
    return _told(lambda: build_sampling(settings["data"]))


def _mixing_faults(settings: Settings) -> list[str]:
    return _told(lambda: build_mixing(settings["augment"]))


def _init_faults(settings: Settings) -> list[str]:
    path = settings["init_from"]
    return _told(lambda: unwrapped(look_into(path)), name="init_from") if path else []


def _teacher_faults(settings: Settings) -> list[str]:
    path = settings["distill"]["teacher"]
    if not path:
        return []

    def look() -> None:
        metadata = check_metadata(look_into(path).get(METADATA_KEY), source=repr(path))
        classes, several = tuple(metadata["classes"]), metadata["multi_label"]  # the data's are unknown as yet
        clips = build_preprocessing(settings["data"])
        difference = teacher_difference(metadata, classes=classes, multi_label=several, preprocessing=clips)
        if difference:
            raise ValueError(f"{path!r} can't teach here: {difference}; train one on the same data settings")

    return _told(look, name="distill.teacher")


def _given_faults(settings: Settings) -> list[str]:
    path = settings["ckpt_path"]
    if not path:
        return []
    return _told(lambda: look_into(path), name="ckpt_path") or _told(lambda: check_undamaged(path), name="ckpt_path")


def _resume_faults(used: Settings, run_dir: Path) -> list[str]:
    """What is other than in the training that is to go on; where that can't be read, another check says so."""
    path = used["ckpt_path"]
    if not path:
        return [fault] if (fault := other_settings(run_dir, used)) else []
    try:
        return checkpoint_faults(path, look_into(path), used)
    except ValueError:
        return []


def _room_faults(settings: Settings, folder: Path) -> list[str]:
    """Of a model that can be built; why another one can't is another check's to say."""
    try:
        model = weightless_model(settings["model"])
        freeze_all_but(model, settings["optim"]["train"])
    except ValueError:
        return []
    precision = str(settings["trainer"]["precision"])
    fault = room_fault(folder, checkpoint_bytes(model, settings["optim"], precision=precision))
    return [fault] if fault else []


CHECKS: tuple[Check, ...] = (
    _protocol_faults,
    _transform_faults,
    _sampling_faults,
    _mixing_faults,
    _init_faults,
    _given_faults,
    _teacher_faults,
)
