"""Check everything about a training that can be checked before data is read, and report all faults in one error."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.config.consistency import chosen_protocol, contradictions
from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.setting_checks import Check, run_checks, sound_settings
from stvit_video.config.unknown_keys import unknown_faults
from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.factories.data import ClipParts
from stvit_video.factories.layout_settings import layout_settings, other_layouts_settings
from stvit_video.factories.manifests import absolute_paths, find_manifest
from stvit_video.factories.network import meta_model
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.models.checkpoints.files import peek_checkpoint
from stvit_video.models.checkpoints.load import format_of
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata
from stvit_video.runs.disk import checkpoint_bytes, disk_space_fault, folder_faults
from stvit_video.runs.resume import (
    check_undamaged,
    checkpoint_faults,
    is_finished,
    other_settings,
    resume_point_of,
)
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.train_settings import ProtocolSettings, TrainSettings
from stvit_video.training.distillation import teacher_difference
from stvit_video.training.freezing import freeze_all_but


class CheckedStart(NamedTuple):
    """What a training starts with, after all checks have passed.

    Attributes:
        settings: as config.yaml holds them: the protocol whole, paths absolute.
        clips: the parts that the checks have built of them.
    """

    settings: TrainSettings
    clips: ClipParts


def check_start(values: Mapping[str, Any], *, run_dir: Path) -> CheckedStart:
    """Raise unless a training can start. The check reads no data and writes nothing.

    Args:
        values: the settings as plain values, such as Hydra resolves them; one that is left out has its
            default. Those of `sweep` are no part of a training.
        run_dir: the folder of the run; it may be new, and is not made.

    Raises:
        ValueError: lists every fault of settings, files, devices and folder, a sentence each.
    """
    read = read_with_layout(TrainSettings, {name: value for name, value in values.items() if name != "sweep"})
    settings, wrong = read.settings, read.wrong
    clips = ClipParts(sound_settings(settings, wrong))
    faults = [
        *unknown_faults(read.unknown),
        *wrong.values(),
        *contradictions(settings, wrong),
        *run_checks(_checks(clips), settings, wrong),
    ]
    used = settings
    if not wrong and not _protocol_faults(settings):
        used = settings.with_changes(
            data=ClipSettings.model_construct(**absolute_paths(dict(settings.data))),
            protocol=ProtocolSettings(**asdict(TestProtocol.named(**chosen_protocol(settings)))),
        )
        faults += _resume_faults(used, run_dir)
    path = None if "ckpt_path" in wrong else settings.ckpt_path
    folder = resume_point_of(path).run_dir if path else run_dir
    if wrong or path or not is_finished(folder, max_epochs=settings.trainer.max_epochs):
        faults += folder_faults(folder)
        faults += _place_faults(settings) if _finds_places(settings, {*wrong, *read.unknown}) else []
        faults += run_checks([lambda given: _disk_space_faults(given, folder)], settings, wrong)
    if faults:
        raise ValueError("; ".join(dict.fromkeys(faults)))
    return CheckedStart(used, clips)


def _as_faults(work: Callable[[], object], *, name: str = "") -> list[str]:
    """Call `work` and return the message of its ValueError as a fault; no error = no fault."""
    try:
        work()
    except ValueError as error:
        return [f"{name}: {error}" if name else str(error)]
    return []


def _protocol_faults(settings: TrainSettings) -> list[str]:
    return _as_faults(lambda: TestProtocol.named(**chosen_protocol(settings)), name="protocol")


def _finds_places(settings: TrainSettings, wrong: Collection[str]) -> bool:
    """Whether nothing is wrong with the settings by which lists and videos are found."""
    own = layout_settings(settings.data.source).model_fields if settings.data.source in LAYOUTS else {}
    unknown = {name for name in wrong if name.startswith("data.") and name[5:] not in ClipSettings.model_fields}
    return {"data", "data.source", *(f"data.{name}" for name in own), *unknown}.isdisjoint(wrong)


def _place_faults(settings: TrainSettings) -> list[str]:
    """Find lists and folders of videos that are not given or do not exist."""
    plain = settings.data.plain()
    if plain["source"] in LAYOUTS:  # another check tells of settings that are of other layouts
        plain = {name: value for name, value in plain.items() if name not in other_layouts_settings(plain)}
    return [fault for part in ("train", "val") for fault in _as_faults(partial(find_manifest, plain, part))]


def _checks(clips: ClipParts) -> list[Check]:
    """The checks of single settings and files; those of parts build the part, which refuses wrong settings."""
    return [
        _protocol_faults,
        lambda _: _as_faults(lambda: clips.train_transform),
        lambda _: _as_faults(lambda: clips.sampling),
        lambda _: _as_faults(lambda: clips.mixing),
        _init_faults,
        _given_faults,
        lambda given: _teacher_faults(given, clips),
    ]


def _init_faults(settings: TrainSettings) -> list[str]:
    path = settings.init_from
    return _as_faults(lambda: format_of(peek_checkpoint(path)), name="init_from") if path else []


def _teacher_faults(settings: TrainSettings, clips: ClipParts) -> list[str]:
    path = settings.distill.teacher
    if not path:
        return []

    def look() -> None:
        content = peek_checkpoint(path)
        if format_of(content) is not None:
            return  # weights of others, which name neither classes nor clips
        metadata = check_metadata(content.get(METADATA_KEY), source=repr(path))
        classes, several = tuple(metadata["classes"]), metadata["multi_label"]  # the data's are unknown as yet
        sizes = clips.preprocessing
        difference = teacher_difference(metadata, classes=classes, multi_label=several, preprocessing=sizes)
        if difference:
            raise ValueError(f"{path!r} can't teach here: {difference}; train one on the same data settings")

    return _as_faults(look, name="distill.teacher")


def _given_faults(settings: TrainSettings) -> list[str]:
    path = settings.ckpt_path
    if not path:
        return []
    return _as_faults(lambda: peek_checkpoint(path), name="ckpt_path") or _as_faults(
        lambda: check_undamaged(path), name="ckpt_path"
    )


def _resume_faults(used: TrainSettings, run_dir: Path) -> list[str]:
    """Compare with the training that is to go on. If its checkpoint can't be read, another check reports that."""
    path = used.ckpt_path
    if not path:
        return [fault] if (fault := other_settings(run_dir, used.plain())) else []
    try:
        return checkpoint_faults(path, peek_checkpoint(path), used.plain())
    except ValueError:
        return []


def _disk_space_faults(settings: TrainSettings, folder: Path) -> list[str]:
    """Compare the disk space with the size of the checkpoints; a model that can't be built is another check's fault."""
    try:
        model = meta_model(settings.model)
        freeze_all_but(model, settings.optim.train)
    except ValueError:
        return []
    precision = str(settings.trainer.precision)
    fault = disk_space_fault(folder, checkpoint_bytes(model, settings.optim, precision=precision))
    return [fault] if fault else []
